import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Teardown } from '../../test/support/teardown.ts'

/** A cache that an instance asks in its health check, and that can fail. */
export interface Cache {
  url: string
  fail (): void
  recover (): void
}

export async function startCache (t: Teardown): Promise<Cache> {
  let isWell = true
  const server = createServer((_request, response) => response.writeHead(isWell ? 204 : 503).end())
  t.teardown(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    fail () { isWell = false },
    recover () { isWell = true }
  }
}

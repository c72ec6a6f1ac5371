import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Teardown } from '../../support/teardown.ts'

/** A server that answers 200 to everything. */
export interface Backend {
  readonly port: number
  /** Requests that it has got. */
  readonly requests: number
  /** Connections that were ever made to it. */
  readonly connections: number
}

export async function startBackends (t: Teardown, count: number): Promise<Backend[]> {
  return await Promise.all(Array.from({ length: count }, () => startBackend(t)))
}

async function startBackend (t: Teardown): Promise<Backend> {
  let requests = 0
  let connections = 0
  const server = createServer((_, response) => {
    requests++
    response.end('ok')
  })
  server.on('connection', () => { connections++ })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    get requests () { return requests },
    get connections () { return connections }
  }
}

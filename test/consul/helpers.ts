import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConsulClient, type ClientOptions } from '../../lib/consul/client.ts'
import type { Teardown } from '../support/teardown.ts'

/** A client that is closed with the test. */
export function clientOf (t: Teardown, options: ClientOptions): ConsulClient {
  const client = new ConsulClient(options)
  t.teardown(() => client.close())
  return client
}

/** A server in Consul's place, for what Consul itself cannot be brought to say. */
export async function fakeServer (t: Teardown, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What a promise rejects with. */
export async function failureOf (promise: Promise<unknown>): Promise<Error & { code: string }> {
  try {
    await promise
  } catch (error) {
    return error as Error & { code: string }
  }
  throw new Error('it did not fail')
}

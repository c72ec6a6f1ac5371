import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Teardown } from '../../support/teardown.ts'

/** A server that answers the same to everything. */
export interface Backend {
  readonly port: number
  /** Requests that it has got. */
  readonly requests: number
  /** Connections that were ever made to it. */
  readonly connections: number
}

/** `latency`: how long they take for an answer, in milliseconds. */
export async function startBackends (t: Teardown, count: number, latency = 0, status = 200): Promise<Backend[]> {
  return await Promise.all(Array.from({ length: count }, () => startBackend(t, latency, status)))
}

async function startBackend (t: Teardown, latency: number, status: number): Promise<Backend> {
  let requests = 0
  let connections = 0
  const server = createServer((_, response) => {
    requests++
    response.statusCode = status
    if (latency === 0) response.end('ok')
    else setTimeout(() => response.end('ok'), latency)
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

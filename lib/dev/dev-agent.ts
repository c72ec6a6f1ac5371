import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock, type Clock, type Random } from '../clock.ts'
import { InvalidOptionError } from '../errors.ts'
import { hostPort } from '../host-port.ts'
import { agentRoutes } from './agent-routes.ts'
import { catalogRoutes } from './catalog-routes.ts'
import { CheckRunner } from './check-runner.ts'
import { handlerOf } from './handler.ts'
import { LateOutputs } from './late-outputs.ts'
import { otherRoutes } from './other-routes.ts'
import { reap } from './reaper.ts'
import { Services } from './services.ts'

export interface DevAgentOptions {
  /** Default: 8500, Consul's own. 0: any that is free. */
  port?: number
  /** The address to listen on, not empty. Default: 127.0.0.1. There is no access control. */
  host?: string
  /** For tests. */
  clock?: Clock
  /** For tests. */
  random?: Random
}

export interface DevAgent extends AsyncDisposable {
  /** As the `url` option of the plugin takes it. */
  readonly url: string
  readonly port: number
  /** Ends checks and connections, and forgets everything. */
  close (): Promise<void>
}

/**
 * An agent for development: in memory, by itself, with that part of Consul's HTTP API which this package uses. It is no
 * Consul: no access control, no TLS, no cluster, nothing kept.
 *
 * @throws the error of the socket, such as `EADDRINUSE`; `FST_CONSUL_INVALID_OPTION` for a host that is empty
 */
export async function startDevAgent (options: DevAgentOptions = {}): Promise<DevAgent> {
  const { port = 8500, host = '127.0.0.1', clock = systemClock, random = Math.random } = options
  // Node would listen on all of them.
  if (host === '') throw new InvalidOptionError('host', 'an address', 'an empty text')
  const lateOutputs = new LateOutputs(clock, random)
  const runner = new CheckRunner({
    clock,
    random,
    report: (id, { status, output }) => services.checks.set(id, status, output)
  })
  const services = new Services({ clock, runner, lateOutputs })
  const parts = { services, clock, random, node: { name: 'dev', address: '127.0.0.1', datacenter: 'dc1' } }
  const server = createServer(handlerOf([...agentRoutes(parts), ...catalogRoutes(parts), ...otherRoutes]))
  server.listen(port, host)
  await once(server, 'listening')
  const stopReaping = reap(services, clock)
  const { port: bound } = server.address() as AddressInfo

  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    stopReaping()
    runner.close()
    lateOutputs.close()
    const ended = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await ended
  }
  return {
    url: `http://${hostPort(host, bound)}`,
    port: bound,
    close: () => (closed ??= close()),
    [Symbol.asyncDispose]: () => (closed ??= close())
  }
}

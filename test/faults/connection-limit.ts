import { setTimeout as delay } from 'node:timers/promises'
import { startConsul } from '../support/consul.ts'
import { startProxy } from '../support/proxy.ts'
import type { Fault } from './fault.ts'
import { measureArrival } from './support/arrival.ts'
import { startCaller } from './support/caller.ts'
import { ConnectionPeak } from './support/connection-peak.ts'
import { LogLines } from './support/log-lines.ts'
import { quantile } from './support/statistics.ts'
import { late, verdict } from './support/verdict.ts'

const services = 250
/** Consul's own default. */
const limit = 200
const connections = 72
/** Milliseconds. */
const arrivesWithin = 10_000

export const fault: Fault = {
  name: 'connection-limit',
  done: `${services} services are discovered at once from an agent that takes ${limit} connections of one address`,
  promise: `all are found, none is refused or broken off; at most ${connections} connections; a change of any ` +
    `arrives within ${arrivesWithin / 1000} s; one log line names the limit`,

  async run (t) {
    const agent = await startConsul(t, { config: { limits: { http_max_conns_per_client: limit } } })
    const names = Array.from({ length: services }, (_, index) => `service-${index}`)
    const register = (name: string, version: string): Promise<unknown> =>
      agent.api('PUT', '/v1/agent/service/register', { Name: name, Port: 1, Meta: { version } })
    for (const name of names) await register(name, '0')
    const proxy = await startProxy(t, agent)
    const peak = new ConnectionPeak(t, proxy)
    const logger = new LogLines()
    const caller = startCaller(t, proxy.url, {}, logger)

    const began = performance.now()
    const found = await Promise.allSettled(names.map(name => caller.discover(name)))
    const took = performance.now() - began
    const errors = found.filter(result => result.status === 'rejected' || result.value.length !== 1).length
    await delay(5000)
    const arrivals: number[] = []
    for (const name of names.filter((_, index) => index % 25 === 0)) {
      await caller.discover(name)
      await delay(200)
      arrivals.push(await measureArrival(caller, name, () => register(name, '1'), arrivesWithin))
    }
    const limitLines = logger.count('maxWatches')
    const others = logger.lines.filter(line => !line.includes('maxWatches') && !line.includes('Healthy instances'))
    const { most } = peak
    return {
      requests: services,
      errors,
      detect: quantile(arrivals, 0.5),
      note: `${most} connections; all were found within ${Math.round(took)} ms; a change arrives within ` +
        `${Math.round(Math.max(...arrivals))} ms at most`,
      ...verdict(
        errors > 0 && `${errors} were not found`,
        most > connections && `${most} connections`,
        limitLines !== 1 && `${limitLines} log lines name the limit`,
        others.length > 0 && `the log says: ${others[0]}`,
        late('a change', Math.max(...arrivals), arrivesWithin)
      )
    }
  }
}

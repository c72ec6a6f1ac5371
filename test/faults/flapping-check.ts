import { setTimeout as delay } from 'node:timers/promises'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import type { Fault } from './fault.ts'
import { startBackends } from './support/backends.ts'
import { startCaller } from './support/caller.ts'
import { measureArrival } from './support/arrival.ts'
import { startCalls } from './support/steady-calls.ts'
import { median, spreadOf } from './support/statistics.ts'
import { late, verdict } from './support/verdict.ts'

const perSecond = 20
/** Seconds. */
const lasts = 10
/** Of Consul's, while it lasts. */
const queriesPerSecond = 6
/** Milliseconds. */
const arrivesWithin = 20

export const fault: Fault = {
  name: 'flapping-check',
  done: `the TTL check of one of three instances fails and passes ${perSecond} times a second, for ${lasts} s`,
  promise: `0 failed calls; at most ${queriesPerSecond} queries a second; a single change of another service, and of ` +
    `this one afterwards, arrives within ${arrivesWithin} ms (median)`,

  async run (t) {
    const { api, url } = await startConsul(t)
    const proxy = await startCountingProxy(t, url)
    const backends = await startBackends(t, 3)
    const [flapping] = backends
    if (flapping === undefined) throw new Error('no backend')
    for (const { port } of backends) await register('flapper', port)
    await register('calm', 1)
    const caller = startCaller(t, proxy.url)
    for (const name of ['flapper', 'calm']) await caller.discover(name)
    const change = (name: string, port: number): Promise<number> =>
      measureArrival(caller, name, () => api('PUT', '/v1/agent/service/register', definition(name, port, Date.now())))

    const calls = startCalls(t, 100, () => caller.request('http://flapper/'))
    await delay(1000)
    const connections = flapping.connections
    const before = proxy.count('/v1/health/service/flapper')
    const end = performance.now() + lasts * 1000
    const flipping = flip()
    const meanwhile: number[] = []
    while (performance.now() < end - 1000) {
      await delay(700)
      meanwhile.push(await change('calm', 1))
    }
    await flipping
    const queries = proxy.count('/v1/health/service/flapper') - before
    await delay(2000)
    const afterwards = []
    for (let round = 0; round < 5; round++) {
      afterwards.push(await change('flapper', flapping.port))
      await delay(1200)
    }
    const { requests, errors, failure } = await calls.end()
    const rate = queries / lasts
    return {
      requests,
      errors,
      detect: median(afterwards),
      queries,
      note: `${rate.toFixed(1)} queries a second; a change arrives in ${spreadOf(meanwhile)} elsewhere meanwhile, ` +
        `in ${spreadOf(afterwards)} here afterwards; ` +
        `${flapping.connections - connections} new connections to the instance`,
      ...verdict(
        errors > 0 && `${errors} calls failed (${failure})`,
        rate > queriesPerSecond && `${rate.toFixed(1)} queries a second`,
        late('a change elsewhere', median(meanwhile), arrivesWithin),
        late('a change here', median(afterwards), arrivesWithin)
      )
    }

    async function register (name: string, port: number): Promise<void> {
      await api('PUT', '/v1/agent/service/register', definition(name, port, 0))
      await api('PUT', `/v1/agent/check/pass/ttl-${name}-${port}`)
    }

    async function flip (): Promise<void> {
      for (let turn = 0; performance.now() < end; turn++) {
        await api('PUT', `/v1/agent/check/${turn % 2 === 0 ? 'fail' : 'pass'}/ttl-flapper-${flapping!.port}`)
        await delay(Math.max(0, end - lasts * 1000 + (turn + 1) * 1000 / perSecond - performance.now()))
      }
      await api('PUT', `/v1/agent/check/pass/ttl-flapper-${flapping!.port}`)
    }
  }
}

function definition (name: string, port: number, version: number): object {
  return {
    Name: name,
    ID: `${name}-${port}`,
    Address: '127.0.0.1',
    Port: port,
    Meta: { version: String(version) },
    Check: { CheckID: `ttl-${name}-${port}`, TTL: '10m' }
  }
}

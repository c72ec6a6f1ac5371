import { setTimeout as delay } from 'node:timers/promises'
import { startConsul } from '../support/consul.ts'
import { startProxy } from '../support/proxy.ts'
import type { Fault } from './fault.ts'
import type { ManyServicesFigures } from './subjects/many-services.ts'
import { addInstances, setStatus, type CatalogInstance } from './support/catalog.ts'
import { ConnectionPeak } from './support/connection-peak.ts'
import { now } from './support/monotonic.ts'
import { median, spreadOf } from './support/statistics.ts'
import { startSubject } from './support/subject.ts'
import { late, verdict } from './support/verdict.ts'

const services = 1000
/** Services that are asked for 50 times a second, the others once. */
const often = 40
const connections = 72
/** Changes a second, over all services. */
const churn = 50
/** Seconds. */
const looksLast = 10
/** Milliseconds. */
const oftenWithin = 50
const seldomWithin = 10_000

export const fault: Fault = {
  name: 'thousand-services',
  done: `one process uses ${services} services, ${often} of them 50 times a second and the others once; ` +
    `nothing happens for ${looksLast} s, then ${churn} instances a second change for as long`,
  promise: `at most ${connections} connections to the agent; a change of a service that is called often arrives ` +
    `within ${oftenWithin} ms (median), one of any other within ${seldomWithin / 1000} s; one log line names the limit`,

  async run (t) {
    const agent = await startConsul(t, { persist: true })
    const names = Array.from({ length: services }, (_, index) => `service-${index}`)
    const instances = names.flatMap(name => [1, 2, 3].map(port => ({ name, id: `${name}-${port}`, port })))
    await addInstances(agent.api, instances)
    const proxy = await startProxy(t, agent)
    const peak = new ConnectionPeak(t, proxy)
    const settings = { url: proxy.url, names, often }
    const subject = await startSubject<ManyServicesFigures>(t, 'many-services', settings)

    await delay(5000)
    await subject.figures()
    await delay(looksLast * 1000)
    const idle = await subject.figures()
    await churnFor(looksLast * 1000)
    const busy = await subject.figures()
    const oftenTook = await arrivals(instances.slice(0, 3 * 20))
    const seldomTook = await arrivals(instances.slice(-3 * 20))
    const { log, missing, failures } = await subject.figures()
    const lines = log.filter(line => line.includes('maxWatches')).length
    const { most } = peak
    return {
      errors: failures,
      detect: median(oftenTook),
      note: `${most} connections; ${idle.cpu.toFixed(1)} % of a processor and ${idle.heap.toFixed(0)} MB of heap ` +
        `while nothing changes, ${busy.cpu.toFixed(1)} % and ${busy.heap.toFixed(0)} MB under churn; a change ` +
        `arrives in ${spreadOf(oftenTook)}, of those that are seldom called in ${spreadOf(seldomTook)}`,
      ...verdict(
        most > connections && `${most} connections`,
        missing + failures > 0 && `${missing} services were not found, ${failures} questions failed`,
        late('a change of what is called often', median(oftenTook), oftenWithin),
        late('a change of what is seldom called', Math.max(...seldomTook), seldomWithin),
        lines !== 1 && `${lines} log lines name the limit`
      )
    }

    async function churnFor (ms: number): Promise<void> {
      const began = performance.now()
      for (let turn = 0; performance.now() - began < ms; turn++) {
        const instance = instances[(turn >> 1) * 7 % instances.length] as CatalogInstance
        await setStatus(agent.api, { ...instance, status: turn % 2 === 0 ? 'critical' : 'passing' })
        await delay(Math.max(0, began + turn * 1000 / churn - performance.now()))
      }
    }

    /** How long a change of each service takes until it is seen. Milliseconds. */
    async function arrivals (some: readonly CatalogInstance[]): Promise<number[]> {
      const first = some.filter((_, index) => index % 3 === 0)
      const changedAt = new Map<string, number>()
      for (const instance of first) {
        await setStatus(agent.api, { ...instance, status: 'critical' })
        changedAt.set(instance.name, now())
        await delay(100)
      }
      const limit = now() + seldomWithin
      for (;;) {
        const { changed } = await subject.figures()
        const took = [...changedAt].map(([name, at]) => Math.max(0, (changed[name] ?? 0) - at))
        const isSeen = [...changedAt].every(([name, at]) => (changed[name] ?? 0) > at - 50)
        if (isSeen) return took
        if (now() > limit) return took.map(ms => ms === 0 ? Infinity : ms)
        await delay(250)
      }
    }
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import { startConsul } from '../support/consul.ts'
import { startProxy, type Proxy } from '../support/proxy.ts'
import { isReady } from '../support/consul-api.ts'
import { until } from '../support/wait.ts'
import type { Fault } from './fault.ts'
import type { ClientsFigures } from './subjects/clients.ts'
import { now } from './support/monotonic.ts'
import { startSubject } from './support/subject.ts'
import { late, verdict } from './support/verdict.ts'

const processes = 4
const clientsEach = 50
const clients = processes * clientsEach
/** Milliseconds. */
const outage = 6000
const freshWithin = 2000
/** Of new connections. Milliseconds. */
const slot = 100
/** Share of the new connections that one slot may hold. */
const most = 1 / 3
const lines = 3
const name = 'wanted'
const mark = 'wanted-afterwards'

export const fault: Fault = {
  name: 'many-clients',
  done: `the agent of ${clients} clients, each with a watch, is killed, and started again empty after ` +
    `${outage / 1000} s`,
  promise: `reconnects are spread: no ${slot} ms hold more than a third of them; all are fresh within ` +
    `${freshWithin / 1000} s of the agent's answer; at most ${lines} log lines a client; no list is ever empty`,

  async run (t) {
    // They stand for as many machines, and the agent counts what one address has open.
    const agent = await startConsul(t, { config: { limits: { http_max_conns_per_client: 2000 } } })
    const proxy = await startProxy(t, agent)
    const register = (id: string): Promise<unknown> =>
      agent.api('PUT', '/v1/agent/service/register', { Name: name, ID: id })
    await register('wanted-before')
    const settings = { url: proxy.url, name, mark, count: clientsEach }
    const subjects = await Promise.all(Array.from({ length: processes }, () =>
      startSubject<ClientsFigures>(t, 'clients', settings)))

    const histogram = new Histogram(proxy)
    t.teardown(() => histogram.end())
    await agent.kill()
    await proxy.refuse(true)
    await delay(outage)
    await agent.launch()
    await until(() => isReady(agent.api), { timeout: 20_000 })
    await Promise.all([register('wanted-before'), register(mark)])
    const back = now()
    histogram.begin()
    await proxy.refuse(false)
    const figures = await until(async () => {
      const all = await Promise.all(subjects.map(subject => subject.figures()))
      return all.flatMap(({ seen }) => seen).length === clients && all
    }, { interval: 500, timeout: 20_000, what: 'every client to be fresh' })
    histogram.end()

    const fresh = figures.flatMap(({ seen }) => seen).map(at => at - back).sort((one, other) => one - other)
    const slowest = fresh.at(-1) ?? Infinity
    const spoken = Math.max(...figures.map(figure => figure.lines))
    const peak = Math.max(...histogram.counts)
    const queries = histogram.counts.reduce((sum, count) => sum + count, 0)
    return {
      recover: slowest,
      queries,
      note: `new connections in every ${slot} ms: ${histogram.counts.join(', ')}; half of the clients are fresh ` +
        `after ${Math.round(fresh[clients / 2] ?? 0)} ms; ${spoken} log lines a client`,
      ...verdict(
        late('the last client', slowest, freshWithin),
        peak > queries * most && `${peak} new connections in ${slot} ms`,
        spoken > lines && `${spoken} log lines of one client`,
        figures.some(({ fewest }) => fewest < 1) && 'a list was empty'
      )
    }
  }
}

/** New connections at a proxy in each slot of time, up to the last one that had any. */
class Histogram {
  readonly counts: number[] = []
  readonly #proxy: Proxy
  #opened = 0
  #timer: NodeJS.Timeout | undefined

  constructor (proxy: Proxy) {
    this.#proxy = proxy
  }

  begin (): void {
    this.#opened = this.#proxy.opened
    const began = performance.now()
    this.#timer = setInterval(() => {
      const place = Math.floor((performance.now() - began) / slot)
      this.counts[place] = (this.counts[place] ?? 0) + this.#proxy.opened - this.#opened
      this.#opened = this.#proxy.opened
    }, 10)
  }

  end (): void {
    clearInterval(this.#timer)
    while (this.counts.at(-1) === 0) this.counts.pop()
    for (let place = 0; place < this.counts.length; place++) this.counts[place] ??= 0
  }
}

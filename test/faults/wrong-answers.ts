import { setTimeout as delay } from 'node:timers/promises'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy, type Answer } from '../support/counting-proxy.ts'
import type { Fault } from './fault.ts'
import { measureArrival } from './support/arrival.ts'
import { startCaller } from './support/caller.ts'
import { late, verdict } from './support/verdict.ts'

const name = 'wanted'
const path = `/v1/health/service/${name}`
/** Of each kind of answer. Seconds. */
const lasts = 4
const queriesPerSecond = 7
/** Milliseconds. */
const freshWithin = 5000

/** What is said in Consul's place; `list` is what it would say. */
const answers: Readonly<Record<string, (list: string) => Answer | Promise<never>>> = {
  'no index': list => ({ status: 200, body: list }),
  'index 0': list => ({ status: 200, headers: { 'x-consul-index': '0' }, body: list }),
  'index 1': list => ({ status: 200, headers: { 'x-consul-index': '1' }, body: list }),
  'the largest index': list => ({ status: 200, headers: { 'x-consul-index': '18446744073709551615' }, body: list }),
  'a longer index': list => ({ status: 200, headers: { 'x-consul-index': '9'.repeat(30) }, body: list }),
  garbage: () => ({ status: 200, headers: { 'x-consul-index': '100' }, body: '<html>' }),
  'half a list': list => ({ status: 200, headers: { 'x-consul-index': '100' }, body: list.slice(0, -9) }),
  'an object': () => ({ status: 200, headers: { 'x-consul-index': '100' }, body: '{}' }),
  'status 500': () => ({ status: 500, body: 'rpc error' }),
  'status 429': () => ({ status: 429, body: 'Your IP is issuing too many concurrent connections' }),
  'no answer at all': () => new Promise<never>(() => {})
}

export const fault: Fault = {
  name: 'wrong-answers',
  done: `for ${lasts} s each a server answers in the agent's place, as no agent can be brought to: ` +
    Object.keys(answers).join(', '),
  promise: `at most ${queriesPerSecond} queries a second; no list gets shorter; with a wait of 2 s and a timeout of ` +
    `1 s a change arrives within ${freshWithin / 1000} s of the last wrong answer`,

  async run (t) {
    const { api, url } = await startConsul(t)
    const proxy = await startCountingProxy(t, url)
    const register = (id: string, version = ''): Promise<unknown> =>
      api('PUT', '/v1/agent/service/register', { Name: name, ID: id, Port: 1, Meta: { version } })
    await register('first')
    const caller = startCaller(t, proxy.url, { discovery: { wait: 2000 }, timeout: 1000 })
    await caller.discover(name)
    let known = 1
    let shorter = 0
    const looking = setInterval(async () => {
      const { length } = await caller.discover(name)
      if (length < known) shorter++
      known = Math.max(known, length)
    }, 10)
    t.teardown(() => clearInterval(looking))

    const notes: string[] = []
    const recoveries: number[] = []
    let busiest = 0
    for (const [what, answer] of Object.entries(answers)) {
      const { text: list } = await api('GET', path)
      const before = proxy.count(path)
      proxy.answer = ({ url }) => url.split('?')[0] === path ? answer(list) : undefined
      await register('first', what) // Ends the query that waits.
      await delay(lasts * 1000)
      const rate = (proxy.count(path) - before) / lasts
      proxy.answer = () => undefined
      const recovery = await measureArrival(caller, name, () => register(`after ${what}`))
      busiest = Math.max(busiest, rate)
      recoveries.push(recovery)
      notes.push(`${what}: ${rate.toFixed(1)} a second, ${Math.round(recovery)} ms`)
      t.log(notes.at(-1) ?? '')
      await delay(1000)
    }
    const slowest = Math.max(...recoveries)
    return {
      recover: slowest,
      note: `queries and recovery: ${notes.join('; ')}`,
      ...verdict(
        busiest > queriesPerSecond && `${busiest.toFixed(1)} queries a second`,
        shorter > 0 && `a list was shorter ${shorter} times`,
        late('a change', slowest, freshWithin)
      )
    }
  }
}

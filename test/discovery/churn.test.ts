import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { until } from '../support/wait.ts'
import { deregister, register, setStatus, startCatalog } from './helpers.ts'

/** What goes on in a busy cluster, and what it costs. */

const consul = await startConsul(t)

/** What one watch may ask in so many seconds: 5 a second and 5 at once, and two before, if those were long before. */
const allowed = (seconds: number): number => 5 * seconds + 7

/** Begins a piece of work every so many milliseconds, so many times. @returns how many seconds it took to end all */
async function every (ms: number, times: number, work: (round: number) => Promise<unknown>): Promise<number> {
  const began = performance.now()
  const begun: Promise<unknown>[] = []
  await until(() => {
    while (begun.length < times && performance.now() - began >= begun.length * ms) begun.push(work(begun.length))
    return begun.length === times
  }, { timeout: 60_000, interval: 1 })
  await Promise.all(begun)
  return (performance.now() - began) / 1000
}

t.test('a hundred changes of others a second: unknown services cost a few queries, known ones none', async t => {
  await register(consul, { Name: 'quiet' })
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog, ids } = startCatalog(t, proxy.url)
  catalog.preload('not-yet')
  await ids('quiet')
  await ids('typed-by-a-user')
  const asked = (name: string): number => proxy.count(`/v1/health/service/${name}`)
  await until(() => asked('not-yet') === 2 && asked('quiet') === 2)
  const times: number[] = []
  const change = async (status: 'critical' | 'passing'): Promise<void> => {
    await setStatus(consul, 'quiet', status)
    const written = performance.now()
    await until(() => catalog.peek('quiet')?.length === (status === 'passing' ? 1 : 0), { interval: 1 })
    times.push(performance.now() - written)
  }
  /** The last of the changes, which come one after the other. */
  let changed = Promise.resolve()
  const seconds = await every(10, 400, async round => {
    await ids('typed-by-a-user')
    if (round % 2 === 0) await register(consul, { Name: `other-${round}`, Check: undefined })
    else await deregister(consul, `other-${round - 11}`)
    if (round % 80 === 79) await (changed = changed.then(() => change(round % 160 === 79 ? 'critical' : 'passing')))
  })
  t.comment(`${asked('not-yet')} queries for the service that is not there in ${seconds.toFixed(1)} s; a change of ` +
    `another one was seen after ${times.map(ms => ms.toFixed()).join(', ')} ms`)
  t.ok(asked('not-yet') <= allowed(seconds))
  t.ok(asked('typed-by-a-user') <= 2 + seconds / 5, 'nobody watches it')
  t.ok(asked('quiet') <= 2 + times.length, 'it is woken by its own changes only')
  t.ok(Math.min(...times) < 150, 'the best: the machine may be busy with other things')
  await register(consul, { Name: 'not-yet' })
  await until(() => catalog.peek('not-yet')?.length === 1)
})

t.test('a service that flaps twenty times a second costs a few queries and three lines', async t => {
  await register(consul, { Name: 'flapping' })
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog, ids, log } = startCatalog(t, proxy.url)
  await ids('flapping')
  const seconds = await every(50, 80, round => setStatus(consul, 'flapping', round % 2 === 0 ? 'critical' : 'passing'))
  t.ok(proxy.count() <= 1 + allowed(seconds), `${proxy.count()} queries in ${seconds.toFixed(1)} s`)
  await until(() => log().length >= 4)
  t.same(log(), [
    'info Healthy instances were found',
    'warn No healthy instance is left',
    'info Healthy instances were found',
    'warn Its last healthy instance comes and goes all the time'
  ])
  await setStatus(consul, 'flapping', 'passing')
  await until(() => catalog.peek('flapping')?.length === 1)
  await setStatus(consul, 'flapping', 'critical')
  await until(() => catalog.peek('flapping')?.length === 0)
  t.equal(log().length, 4)
})

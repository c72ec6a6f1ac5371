import { AsyncLocalStorage } from 'node:async_hooks'
import t from 'tap'
import { createConsul, startConsul } from '../support/consul.ts'
import { startCountingProxy, type Answer } from '../support/counting-proxy.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { startProxy } from '../support/proxy.ts'
import { until } from '../support/wait.ts'
import { deregister, idsOf, register, startCatalog } from './helpers.ts'

/** The first call for a service asks Consul, whatever else goes on. */

const consul = await startConsul(t)

t.test('an answer that a watch has overtaken does not count', async t => {
  await register(consul, { Name: 'overtaken', ID: 'old' })
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog, ids } = startCatalog(t, proxy.url)
  const { text } = await consul.api('GET', '/v1/health/service/overtaken')
  let release: (answer: Answer) => void = () => {}
  proxy.answer = () => proxy.count() === 1 ? new Promise(resolve => { release = resolve }) : undefined
  const first = ids('overtaken')
  await until(() => proxy.count() === 1)
  catalog.preload('overtaken')
  await until(() => catalog.view('overtaken')?.snapshot !== undefined)
  await register(consul, { Name: 'overtaken', ID: 'new' })
  await deregister(consul, 'old')
  await until(() => String(idsOf(catalog.peek('overtaken'))) === 'new')
  release({ status: 200, headers: { 'x-consul-index': '7' }, body: text })
  t.same(await first, ['new'])
  t.same(idsOf(catalog.peek('overtaken')), ['new'])
})

t.test('a failure that a watch has overtaken is not told of its list', async t => {
  await register(consul, { Name: 'fine' })
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog, ids } = startCatalog(t, proxy.url)
  let release: (answer: Answer) => void = () => {}
  proxy.answer = () => proxy.count() === 1 ? new Promise(resolve => { release = resolve }) : undefined
  const first = ids('fine')
  await until(() => proxy.count() === 1)
  catalog.preload('fine')
  await until(() => catalog.view('fine')?.snapshot !== undefined)
  release({ status: 500, body: 'late' })
  t.same(await first, ['fine'])
  t.match(catalog.view('fine'), { error: undefined, lostAt: undefined })
})

t.test('many first calls at once are no leak in the eyes of Node', async t => {
  const warnings: string[] = []
  const listener = ({ name }: Error) => { warnings.push(name) }
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  const { catalog } = startCatalog(t, consul.url)
  await Promise.all(Array.from({ length: 30 }, (_, i) => catalog.discover(`first-${i}`)))
  t.same(warnings, [])
})

t.test('a connection that breaks is no reason to refuse the first call for another service', async t => {
  for (const name of ['web', 'db']) await register(consul, { Name: name })
  const proxy = await startProxy(t, consul)
  const { catalog, connectivity, ids } = startCatalog(t, proxy.url, { clock: new ManualClock() })
  await ids('web')
  await until(() => proxy.connections === 2)
  proxy.reset()
  await until(() => catalog.view('web')?.error !== undefined)
  t.ok(connectivity.up, 'that is for the first probe to say')
  t.same(await ids('db'), ['db'])
})

t.test('a connection that breaks under a first call is no error of it: Consul is asked once more', async t => {
  await register(consul, { Name: 'broken' })
  const proxy = await startProxy(t, consul)
  const { ids, log } = startCatalog(t, proxy.url, { connection: { timeout: '1m' } })
  proxy.blackhole(true)
  const first = ids('broken')
  await until(() => proxy.connections > 0)
  proxy.reset()
  proxy.blackhole(false)
  t.same(await first, ['broken'])
  t.same(log(), ['info Healthy instances were found'])
})

t.test('first calls wait for an agent that is away', async t => {
  const late = await createConsul(t)
  const { connectivity, ids } = startCatalog(t, late.url, { connection: { timeout: '1m' } })
  const first = ids('web')
  await until(() => !connectivity.up)
  const second = ids('db')
  await late.start()
  t.same(await Promise.all([first, second]), [[], []])
})

t.test('behind a question that is not answered in time nobody waits in vain', async t => {
  const proxy = await startProxy(t, consul)
  proxy.blackhole(true)
  const { catalog } = startCatalog(t, proxy.url, { connection: { timeout: 500 } })
  const began = performance.now()
  const calls = Array.from({ length: 300 }, (_, i) => catalog.discover(`unanswered-${i}`))
  for (const call of await Promise.allSettled(calls)) {
    t.match(call, { reason: { code: 'FST_CONSUL_UNAVAILABLE', message: /within 500 ms/ } })
  }
  t.ok(performance.now() - began < 25_000, 'three at a time would have taken 50 s')
})

t.test('close ends the wait', async t => {
  const nobody = await createConsul(t)
  const { catalog, close, connectivity } = startCatalog(t, nobody.url, { connection: { timeout: '1h' } })
  const call = catalog.discover('web')
  call.catch(() => {})
  await until(() => !connectivity.up)
  await close()
  await t.rejects(call, { code: 'FST_CONSUL_CLOSED' })
})

t.test('a few first calls are under way at a time, however many there are', async t => {
  await register(consul, { Name: 'patient' })
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog, ids } = startCatalog(t, proxy.url)
  let release: (answer: undefined) => void = () => {}
  const held = new Promise<undefined>(resolve => { release = resolve })
  proxy.answer = () => held
  const calls = Array.from({ length: 50 }, (_, i) => catalog.discover(`one-of-${i}`))
  const last = ids('patient')
  await until(() => proxy.count() === 3)
  await consul.api('GET', '/v1/agent/self')
  t.equal(proxy.count(), 3)
  release(undefined)
  await Promise.all(calls)
  t.same(await last, ['patient'])
})

t.test('a view that is forgotten while its answer is under way is remembered if the service exists', async t => {
  await register(consul, { Name: 'late' })
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog, ids } = startCatalog(t, proxy.url, { connection: { timeout: '2m' } })
  const left: string[] = []
  catalog.onLeave(instances => left.push(...idsOf(instances)))
  let release: (answer: undefined) => void = () => {}
  proxy.answer = ({ url }) => url.includes('/late?') ? new Promise(resolve => { release = resolve }) : undefined
  const first = ids('late')
  await until(() => proxy.count('/v1/health/service/late') === 1)
  const view = catalog.view('late')
  await Promise.all(Array.from({ length: 1000 }, (_, i) => catalog.discover(`push-${i}`)))
  t.equal(catalog.view('late'), undefined, 'forgotten for the sake of others')
  proxy.answer = () => undefined
  release(undefined)
  t.same(await first, ['late'])
  t.equal(catalog.view('late'), view)
  t.equal(view?.upkeep, 'watched')
  await deregister(consul, 'late')
  await until(() => left.length > 0)
  t.same(left, ['late'], 'so that who has its instances is told when they leave')
})

t.test('who follows a service acts in no request\'s context, even if a request has asked', async t => {
  await register(consul, { Name: 'followed' })
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog } = startCatalog(t, proxy.url)
  let release: (answer: undefined) => void = () => {}
  proxy.answer = () => proxy.count() === 1 ? new Promise(resolve => { release = resolve }) : undefined
  const context = new AsyncLocalStorage<string>()
  const told: unknown[] = []
  catalog.follow('followed', () => { told.push(context.getStore()) })
  await until(() => proxy.count() === 1)
  await context.run('a request', async () => await catalog.discover('followed'))
  t.same(told, [undefined])
  release(undefined)
})

t.test('it is told for how long each was waited for, and nothing of questions for which nobody waits', async t => {
  await register(consul, { Name: 'timed' })
  const waited: string[] = []
  const { catalog } = startCatalog(t, consul.url, { onWaited: ({ key: { name } }) => waited.push(name) })
  await catalog.discover('timed')
  await catalog.discoverNow('timed-now')
  await catalog.learn('not-waited-for')
  t.same(waited, ['timed', 'timed-now'])
})

t.test('a list that is polled again after a rest is waited for by nobody', async t => {
  for (const name of ['most-called', 'rested']) await register(consul, { Name: name })
  const waited: string[] = []
  const proxy = await startCountingProxy(t, consul.url)
  const clock = new ManualClock()
  const { catalog, ids } = startCatalog(t, proxy.url, {
    clock, maxWatches: 1, idleAfter: 1000, onWaited: ({ key: { name } }) => waited.push(name)
  })
  await ids('most-called')
  await ids('rested')
  catalog.preload('most-called')
  clock.advance(2000)
  t.equal(catalog.view('rested')?.upkeep, 'idle')
  const before = catalog.view('rested')?.answeredAt
  t.same(idsOf(catalog.peek('rested')), ['rested'])
  await until(() => catalog.view('rested')?.answeredAt !== before)
  t.equal(catalog.view('rested')?.upkeep, 'polled')
  t.same(waited, ['most-called', 'rested'])
})

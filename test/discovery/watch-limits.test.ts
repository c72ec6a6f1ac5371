import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/wait.ts'
import { deregister, idsOf, register, startCatalog } from './helpers.ts'

const consul = await startConsul(t)
const limitLine =
  'warn discovery.maxWatches is reached: the services that are called most are watched, the others are polled'
for (const name of ['a', 'b', 'c', 'd']) await register(consul, { Name: name })

t.test('beyond maxWatches a service is polled every 3 s, whether it is used or not', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const clock = new ManualClock()
  const { catalog, ids, log } = startCatalog(t, proxy.url, { maxWatches: 2, clock })
  for (const name of ['a', 'b', 'c', 'd']) t.same(await ids(name), [name])
  await until(() => proxy.count() === 6)
  t.same(['a', 'b', 'c', 'd'].map(name => catalog.view(name)?.upkeep), ['watched', 'watched', 'polled', 'polled'])
  t.same(log().filter(line => line === limitLine), [limitLine], 'one line, however many there are')

  for (let i = 0; i < 100; i++) t.same(await ids('c'), ['c'])
  t.equal(proxy.count(), 6, 'who calls often causes no query')
  await register(consul, { Name: 'c', ID: 'c2' })
  await register(consul, { Name: 'd', ID: 'd2' })
  clock.advance(3000)
  for (const name of ['c', 'd']) await until(() => catalog.view(name)?.snapshot?.known.length === 2)
  t.same(['c', 'd'].map(name => proxy.count(`/v1/health/service/${name}`)), [2, 2])
  await deregister(consul, 'c2')
  await deregister(consul, 'd2')
})

t.test('the service that is called most is watched in the place of the one that is called least', async t => {
  const clock = new ManualClock()
  const { catalog, ids } = startCatalog(t, consul.url, { maxWatches: 2, clock })
  for (const name of ['a', 'b', 'c', 'd']) await ids(name)
  for (let i = 0; i < 100; i++) for (const name of ['b', 'c']) catalog.peek(name)
  clock.advance(5000)
  t.same(['a', 'b', 'c', 'd'].map(name => catalog.view(name)?.upkeep), ['polled', 'watched', 'watched', 'polled'])
  await register(consul, { Name: 'c', ID: 'c2' })
  await until(() => catalog.peek('c')?.length === 2)
  await deregister(consul, 'c2')
  await until(() => catalog.peek('c')?.length === 1)
})

t.test('what is preloaded or followed keeps its watch, however much others are called', async t => {
  const clock = new ManualClock()
  const { catalog, ids } = startCatalog(t, consul.url, { maxWatches: 1, clock })
  catalog.preload('a')
  catalog.follow('b', () => {})
  await ids('c')
  for (let i = 0; i < 1000; i++) catalog.peek('c')
  clock.advance(5000)
  t.same(['a', 'b', 'c'].map(name => catalog.view(name)?.upkeep), ['watched', 'watched', 'polled'])
})

t.test('a polled service that nobody asks for becomes idle, and is asked for again when it is used', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const clock = new ManualClock()
  const { catalog, ids } = startCatalog(t, proxy.url, { maxWatches: 1, idleAfter: 60_000, clock })
  catalog.preload('a')
  await ids('d')
  t.equal(catalog.view('d')?.upkeep, 'polled')
  clock.advance(120_000)
  t.equal(catalog.view('d')?.upkeep, 'idle')
  await ids('a')
  const asked = () => proxy.count('/v1/health/service/d')
  const before = asked()
  clock.advance(120_000)
  t.equal(asked(), before)
  await ids('d')
  t.equal(catalog.view('d')?.upkeep, 'polled')
  await until(() => asked() === before + 1)
})

t.test('a service that is followed comes on top of maxWatches', async t => {
  const { catalog, ids, log } = startCatalog(t, consul.url, { maxWatches: 1 })
  let heard = 0
  catalog.follow('a', () => { heard++ })
  await ids('b')
  t.same(['a', 'b'].map(name => catalog.view(name)?.upkeep), ['watched', 'watched'])
  t.notOk(log().includes(limitLine))
  await ids('d')
  t.ok(log().includes(limitLine))
  catalog.follow('d', () => { heard++ })
  t.equal(catalog.view('d')?.upkeep, 'watched')
  await until(() => heard >= 2)
})

t.test('services that are preloaded beyond maxWatches are polled, and in memory too', async t => {
  const { catalog } = startCatalog(t, consul.url, { maxWatches: 1 })
  for (const name of ['a', 'b', 'd']) catalog.preload(name)
  for (const name of ['a', 'b', 'd']) await until(() => catalog.peek(name)?.length === 1)
  t.same(['a', 'b', 'd'].map(name => catalog.view(name)?.upkeep), ['watched', 'polled', 'polled'])
})

t.test('a watch that nobody uses ends; its list stays, answers at once, and is renewed', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const clock = new ManualClock()
  await register(consul, { Name: 'idle', ID: 'idle-1' })
  const { catalog, ids } = startCatalog(t, proxy.url, { idleAfter: 60_000, clock })
  await ids('idle')
  await until(() => proxy.count() === 2)
  for (let i = 0; i < 10; i++) {
    clock.advance(50_000)
    await ids('idle')
  }
  t.equal(proxy.count(), 2, 'as long as it is used it goes on')
  clock.advance(60_000)
  clock.advance(15_000)
  t.equal(catalog.view('idle')?.upkeep, 'idle')
  await register(consul, { Name: 'idle', ID: 'idle-2' })
  await deregister(consul, 'idle-1')
  clock.advance(3_600_000)
  t.equal(proxy.count(), 2, 'nobody asks Consul any longer')
  t.same(await ids('idle'), ['idle-1'], 'the list of an hour ago')
  await until(() => String(idsOf(catalog.peek('idle'))) === 'idle-2')
  t.equal(catalog.view('idle')?.upkeep, 'watched')
})

t.test('the place of a watch that ended is free for another service', async t => {
  const clock = new ManualClock()
  const { catalog, ids } = startCatalog(t, consul.url, { maxWatches: 1, idleAfter: 60_000, clock })
  await ids('a')
  await ids('b')
  t.equal(catalog.view('b')?.upkeep, 'polled')
  clock.advance(45_000)
  clock.advance(45_000)
  t.equal(catalog.view('a')?.upkeep, 'idle')
  await ids('b')
  t.equal(catalog.view('b')?.upkeep, 'watched')
  await ids('a')
  t.equal(catalog.view('a')?.upkeep, 'polled', 'and now the first one is polled')
})

t.test('what is preloaded or followed never becomes idle', async t => {
  const clock = new ManualClock()
  const { catalog } = startCatalog(t, consul.url, { idleAfter: 60_000, clock })
  catalog.preload('a')
  const end = catalog.follow('b', () => {})
  clock.advance(3_600_000)
  t.same(['a', 'b'].map(name => catalog.view(name)?.upkeep), ['watched', 'watched'])
  end()
  clock.advance(3_600_000)
  t.same(['a', 'b'].map(name => catalog.view(name)?.upkeep), ['watched', 'idle'])
})

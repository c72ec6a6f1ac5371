import t from 'tap'
import { fakeServer } from '../consul/helpers.ts'
import { entry } from '../consul/wire-entries.ts'
import { createConsul, startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { startProxy } from '../support/proxy.ts'
import { until } from '../support/wait.ts'
import { idsOf, register, setStatus, startCatalog } from './helpers.ts'

const lost = 'warn Consul cannot be reached; what is known of it is kept'
const back = 'info Consul answers again'
const outages = (log: string[]): string[] => log.filter(line => line === lost || line === back)

const consul = await startConsul(t)
await register(consul, { Name: 'web' })
await register(consul, { Name: 'db' })

t.test('when the agent is killed its last lists stay, and a restart is noticed by itself', async t => {
  const consul = await startConsul(t, { persist: true })
  // Without a check: one with TTL begins anew as critical when its agent does.
  await register(consul, { Name: 'web', ID: 'web-1', Check: undefined })
  await register(consul, { Name: 'db', ID: 'db-1', Check: undefined })
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog, connectivity, log } = startCatalog(t, proxy.url, { connection: { timeout: '1m' } })
  const web = await catalog.discover('web')
  await catalog.discover('db')
  await until(() => proxy.count() === 4)

  await consul.kill()
  await until(() => log().includes(lost))
  t.equal(await catalog.discover('web'), web, 'the same list')
  t.match(catalog.view('web')?.error, { code: 'FST_CONSUL_API_UNREACHABLE' })
  const asked = proxy.count('/v1/health/service/web')
  for (let i = 0; i < 100; i++) await catalog.discover('web')
  t.equal(proxy.count('/v1/health/service/web'), asked, 'nobody asks for it while Consul is down')

  const firstCalls = Array.from({ length: 100 }, () => catalog.discover('never-asked'))
  t.equal(proxy.count('/v1/health/service/never-asked'), 0)

  await consul.start()
  await until(() => connectivity.up && catalog.view('web')?.lostAt === undefined, { timeout: 10_000 })
  await register(consul, { Name: 'web', ID: 'web-2' })
  await until(() => idsOf(catalog.view('web')?.snapshot?.healthy).includes('web-2'))
  await until(() => String(idsOf(catalog.view('db')?.snapshot?.healthy)) === 'db-1')
  for (const list of await Promise.all(firstCalls)) t.same(list, [], 'first calls have waited for it')
  t.equal(proxy.count('/v1/health/service/never-asked'), 1)
  t.same(outages(log()), [lost, back])
})

t.test('a suspended agent is an outage once a query has taken too long, and over when it goes on', async t => {
  const consul = await startConsul(t)
  await register(consul, { Name: 'web' })
  const { catalog, ids, log } = startCatalog(t, consul.url, { wait: 300, connection: { timeout: 2000 } })
  await ids('web')
  await consul.suspend()
  await until(() => log().includes(lost), { timeout: 20_000 })
  t.same(await ids('web'), ['web'])
  await t.rejects(catalog.discover('other'), { code: 'FST_CONSUL_UNAVAILABLE' })
  consul.resume()
  await until(() => log().includes(back), { timeout: 20_000 })
  await setStatus(consul, 'web', 'critical')
  await until(() => catalog.view('web')?.snapshot?.healthy.length === 0, { timeout: 20_000 })
  t.same(outages(log()), [lost, back])
})

t.test('connections that die without a word in an outage are not waited on after its end', async t => {
  const consul = await startConsul(t)
  await register(consul, { Name: 'web' })
  const proxy = await startProxy(t, consul)
  const { catalog, ids, log } = startCatalog(t, proxy.url, { wait: 60_000, connection: { timeout: 2000 } })
  await ids('web')
  await until(() => proxy.connections === 2)
  proxy.blackhole(true)
  await t.rejects(catalog.discover('other'), { code: 'FST_CONSUL_UNAVAILABLE' })
  await until(() => log().includes(lost), { timeout: 20_000 })
  t.type(catalog.view('web')?.lostAt, 'number', 'the watch misses changes from here on')
  proxy.forget()
  await setStatus(consul, 'web', 'critical')
  await until(() => catalog.view('web')?.snapshot?.healthy.length === 0, { timeout: 20_000 })
  t.same(outages(log()), [lost, back])
})

t.test('the first call without Consul waits for it, timeout at the most, and then says what to do', async t => {
  const consul = await createConsul(t)
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog, ids, log } = startCatalog(t, proxy.url, { connection: { timeout: 2000 } })
  const calls = Array.from({ length: 100 }, () => catalog.discover('web'))
  for (const call of await Promise.allSettled(calls)) {
    t.match(call, {
      reason: {
        code: 'FST_CONSUL_UNAVAILABLE',
        statusCode: 503,
        message: /^Consul has not said where web is: Consul did not answer GET /
      }
    })
    t.match(call, {
      reason: { message: /\. Check that the agent runs and the url option \(CONSUL_URL\), or list web in fallback$/ }
    })
  }
  t.equal(proxy.count('/v1/health/service/web'), 1)
  await until(() => log().includes(lost))
  await t.rejects(catalog.discover('other'), { message: /where other is: its agent cannot be reached\. Check/ })
  t.equal(proxy.count('/v1/health/service/other'), 0)
  await consul.start()
  await register(consul, { Name: 'web' })
  await until(() => log().includes(back))
  t.same(await ids('web'), ['web'])
  t.same(outages(log()), [lost, back])
})

t.test('a first call that gets no answer fails after the timeout', async t => {
  const consul = await startConsul(t)
  const proxy = await startProxy(t, consul)
  proxy.blackhole(true)
  const { catalog } = startCatalog(t, proxy.url, { connection: { timeout: 200 } })
  await t.rejects(catalog.discover('web'), { code: 'FST_CONSUL_UNAVAILABLE', message: /within 200 ms/ })
})

t.test('connections that break while the agent goes on are no outage, and nothing is missed', async t => {
  const consul = await startConsul(t)
  await register(consul, { Name: 'web' })
  const proxy = await startProxy(t, consul)
  const { catalog, ids, log } = startCatalog(t, proxy.url)
  await ids('web')
  for (let i = 0; i < 3; i++) {
    await until(() => proxy.connections > 0)
    proxy.reset()
    await setStatus(consul, 'web', i % 2 === 0 ? 'critical' : 'passing')
    await until(() => catalog.view('web')?.snapshot?.healthy.length === i % 2)
  }
  t.same(outages(log()), [])
})

// A fake: an agent at its limit of connections answers what is short and breaks off what waits.
t.test('an agent that breaks off every watch is told of once, and its services are still known', async t => {
  let watches = 0
  const url = await fakeServer(t, ({ url = '', socket }, response) => {
    if (url.includes('index=')) {
      watches++
      socket.destroy()
    } else {
      response.setHeader('x-consul-index', '7')
      response.end(url.startsWith('/v1/health') ? JSON.stringify([entry({ Port: watches })]) : '"leader"')
    }
  })
  const { catalog, log } = startCatalog(t, url)
  await catalog.discover('web')
  await until(() => watches >= 3 && log().length === 2, { timeout: 20_000 })
  t.ok((catalog.peek('web')?.[0]?.port ?? 0) >= 2)
  t.match(log(), ['info Healthy instances were found', /^warn The agent answers but breaks off watches/])
})

// Max stale

const year = 365 * 24 * 3_600_000

t.test('an idle list that is older than maxStale is not given out: Consul is asked first', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const clock = new ManualClock()
  const { catalog, ids } = startCatalog(t, proxy.url, { clock, idleAfter: 1000, maxStale: 60_000 })
  await ids('web')
  await until(() => proxy.count() === 2)
  clock.advance(1250)
  t.equal(catalog.view('web')?.upkeep, 'idle')
  clock.advance(60_000)
  await register(consul, { Name: 'web', ID: 'web-2' })
  t.equal(catalog.peek('web'), undefined)
  t.same(await ids('web'), ['web', 'web-2'])
})

t.test('a polled list that is older than maxStale is not given out either', async t => {
  const clock = new ManualClock()
  const { catalog, ids } = startCatalog(t, consul.url, { clock, maxWatches: 1, maxStale: 500 })
  await ids('web')
  await ids('db')
  clock.advance(501)
  t.equal(catalog.peek('db'), undefined)
  t.same(await ids('db'), ['db'])
  t.same(idsOf(catalog.peek('db')), ['db'])
})

t.test('through an outage a list stays: for ever, or as long as maxStale says', async t => {
  const clock = new ManualClock()
  const patient = startCatalog(t, consul.url, { clock, idleAfter: 3 * year })
  const strict = startCatalog(t, consul.url, { clock, idleAfter: 3 * year, maxStale: 60_000 })
  for (const { ids } of [patient, strict]) await ids('db')
  clock.advance(year)
  t.same(await strict.ids('db'), ['db'], 'a watch that is not broken off is no stale one')

  await consul.kill()
  for (const { catalog } of [patient, strict]) await until(() => catalog.view('db')?.lostAt !== undefined)
  clock.advance(60_000)
  t.same(await strict.ids('db'), ['db'])
  clock.advance(1)
  await t.rejects(strict.catalog.discover('db'), {
    code: 'FST_CONSUL_UNAVAILABLE',
    message: /^What Consul said of db is older than discovery\.maxStale: Consul did not answer .*\. Check/
  })
  t.equal(strict.catalog.peek('db'), undefined)
  clock.advance(year)
  t.same(await patient.ids('db'), ['db'])
})

import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/wait.ts'
import { idsOf, register, startCatalog } from './helpers.ts'

const year = 365 * 24 * 3_600_000
const consul = await startConsul(t)
await register(consul, { Name: 'web' })
await register(consul, { Name: 'db' })

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

import t from 'tap'
import { HybridSource } from '../../lib/discovery/hybrid.ts'
import { StaticSource } from '../../lib/discovery/static.ts'
import { createConsul, startConsul } from '../support/consul.ts'
import type { Teardown } from '../support/teardown.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/wait.ts'
import { deregister, idsOf, register, setStatus, startCatalog } from './helpers.ts'

const consul = await startConsul(t)
const address = 'http://10.1.1.1:8080'

function startHybrid (t: Teardown, url: string, options: Parameters<typeof startCatalog>[2] = {}) {
  const started = startCatalog(t, url, options)
  const fallback = new StaticSource({ web: [address], db: [address] })
  const source = new HybridSource(started.catalog, fallback)
  return {
    ...started,
    source,
    fallback,
    ids: async (...query: Parameters<HybridSource['discover']>) =>
      idsOf(await source.discover(...query))
  }
}

t.test('what Consul lists goes before the fallback', async t => {
  await register(consul, { Name: 'web', ID: 'web-1' })
  const { source, ids } = startHybrid(t, consul.url)
  t.equal(source.peek('web'), undefined, 'nobody has asked yet')
  t.same(await ids('web'), ['web-1'])
  t.same(idsOf(source.peek('web')), ['web-1'])
  await deregister(consul, 'web-1')
})

t.test('a service that is not registered at all has its fallback until it is', async t => {
  const clock = new ManualClock()
  const { source, ids, fallback } = startHybrid(t, consul.url, { clock })
  t.equal(await source.discover('web'), fallback.peek('web'))
  t.equal(source.peek('web'), fallback.peek('web'))
  t.same(await ids('web', { tag: 'any' }), [address], 'the fallback has no tags')
  await register(consul, { Name: 'web', ID: 'web-1' })
  clock.advance(5000)
  t.same(await ids('web'), ['web-1'])
  await deregister(consul, 'web-1')
  await until(async () => String(await ids('web')) === address)
})

t.test('a service whose instances are all critical is down: there is no fallback', async t => {
  await register(consul, { Name: 'web', ID: 'web-1' }, 'critical')
  const { source, ids } = startHybrid(t, consul.url)
  t.same(await ids('web'), [])
  t.same(source.peek('web'), [])
  await setStatus(consul, 'web-1', 'passing')
  await until(async () => String(await ids('web')) === 'web-1')
  t.same(await ids('web', { tag: 'nobody-has-it' }), [], 'nor where none has the tag')
  await deregister(consul, 'web-1')
})

t.test('a filter that matches nobody is no reason for the fallback, a missing service is', async t => {
  await register(consul, { Name: 'web', ID: 'web-1' })
  const { source, ids } = startHybrid(t, consul.url)
  const query = { filter: 'Service.Port == 12345' }
  t.same(await ids('web', query), [])
  t.same(source.peek('web', query), [])
  t.same(await ids('db', query), [address])
  t.same(idsOf(source.peek('db', query)), [address])
  await deregister(consul, 'web-1')
})

t.test('a service without a fallback is as Consul says', async t => {
  const { source, ids } = startHybrid(t, consul.url)
  t.same(await ids('other'), [])
  t.same(source.peek('other'), [])
  await t.rejects(source.discover('..'), { code: 'FST_CONSUL_INVALID_NAME' })
})

t.test('while Consul cannot answer the fallback serves, and Consul as soon as it can', async t => {
  const late = await createConsul(t)
  const { source, ids, fallback, connectivity } = startHybrid(t, late.url, { connection: { timeout: '1h' } })
  t.equal(await source.discover('web'), fallback.peek('web'), 'without waiting')
  const other = source.discover('other')
  await until(() => !connectivity.up)
  t.equal(await source.discover('web'), fallback.peek('web'))
  await late.start()
  t.same(await other, [], 'one without a fallback has waited')
  await register(late, { Name: 'web', ID: 'web-1' })
  await until(() => connectivity.up)
  t.same(await ids('web'), ['web-1'])
  await late.kill()
  await until(() => !connectivity.up)
  t.same(await ids('web'), ['web-1'], 'the last list goes before the fallback')
  t.same(await ids('db'), [address], 'of this one nothing was ever known')
})

t.test('who leaves Consul is told', async t => {
  await register(consul, { Name: 'web', ID: 'web-1' })
  const { source, ids } = startHybrid(t, consul.url)
  const left: string[] = []
  const end = source.onLeave(instances => left.push(...idsOf(instances)))
  await ids('web')
  await deregister(consul, 'web-1')
  await until(() => left.length > 0)
  t.same(left, ['web-1'])
  end()
})

t.test('after close there is no fallback either', async t => {
  const { source, close } = startHybrid(t, consul.url)
  await close()
  await t.rejects(source.discover('web'), { code: 'FST_CONSUL_CLOSED' })
})

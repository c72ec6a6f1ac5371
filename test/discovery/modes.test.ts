import t from 'tap'
import { createServiceRegistry } from '../../lib/create-service-registry.ts'
import { HybridSource } from '../../lib/discovery/hybrid.ts'
import { StaticSource } from '../../lib/discovery/static.ts'
import { resolveOptions } from '../../lib/options/resolve.ts'
import type { ConsulOptions } from '../../lib/options/types.ts'
import type { ServiceRegistry } from '../../lib/registry.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { createConsul, startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { freePort } from '../support/ports.ts'
import type { Teardown } from '../support/teardown.ts'
import { until } from '../support/wait.ts'
import { deregister, idsOf, register, setStatus, startCatalog } from './helpers.ts'

// lib/discovery/static.ts

function sourceOf (fallback: Record<string, string | string[]>): StaticSource {
  return new StaticSource(resolveOptions({ fallback }, { environment: {} }).fallback)
}

const consul = await startConsul(t)
const withWeb = await startConsul(t)
await register(withWeb, { Name: 'web', ID: 'web-1' })

t.test('the addresses of the fallback are instances', async t => {
  const source = sourceOf({ web: ['http://10.0.0.1:8080', 'https://host.test', 'http://[2001:db8::1]:81'] })
  const instances = await source.discover('web')
  t.match(instances, [
    { name: 'web', address: '10.0.0.1', port: 8080, scheme: 'http', status: 'passing', weight: 1, tags: [], meta: {} },
    { address: 'host.test', port: 443, scheme: 'https', url: 'https://host.test:443' },
    { address: '2001:db8::1', port: 81, url: 'http://[2001:db8::1]:81' }
  ])
  t.equal(new Set(instances.map(({ id }) => id)).size, 3)
})

t.test('they are always the same frozen array', async t => {
  const source = sourceOf({ web: 'http://a:1' })
  const instances = await source.discover('web')
  t.ok(Object.isFrozen(instances))
  t.equal(await source.discover('web'), instances)
  t.equal(source.peek('web'), instances)
})

t.test('a service without a fallback has no instance', async t => {
  const source = sourceOf({ web: 'http://a:1' })
  t.same(await source.discover('other'), [])
  t.same(await source.discover('constructor'), [])
  t.ok(source.has('web'))
  t.notOk(source.has('constructor'))
})

t.test('services are listed, whatever they are called', async t => {
  const source = sourceOf(JSON.parse('{ "web": "http://a:1", "__proto__": "http://b:1" }'))
  t.same(Object.keys(source.list()), ['web', '__proto__'])
  t.equal(source.size, 2)
  t.equal((await source.discover('__proto__')).length, 1)
})

t.test('the names that Consul cannot be asked for are refused here too', async t => {
  for (const name of ['', '..', 'a\nb']) {
    await t.rejects(sourceOf({}).discover(name), { code: 'FST_CONSUL_INVALID_NAME' })
  }
})

t.test('nobody ever leaves, and nothing is to be ended', async t => {
  t.equal(sourceOf({ web: 'http://a:1' }).onLeave()(), undefined)
})

t.test('a name in capitals is found as a URL spells it', async t => {
  const source = sourceOf({ Web: 'http://a:1' })
  t.equal(source.peek('web').length, 1)
  t.ok(source.has('web'))
  t.same(Object.keys(source.list()), ['Web'])
})

// lib/discovery/hybrid.ts

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

// Modes

/** The way from fixed addresses to Consul, mode by mode. */

const fallback = { web: 'http://10.1.1.1:8080', legacy: 'http://10.1.1.2:8080' }

function registryOf (t: Teardown, options: ConsulOptions): ServiceRegistry {
  const registry = createServiceRegistry('caller', 1, { logger: collectingLogger().logger, fallback, ...options })
  t.teardown(() => registry.close())
  return registry
}

for (const mode of ['static', 'register'] as const) {
  t.test(`${mode}: services are where the fallback says, and Consul is not asked`, async t => {
    const proxy = await startCountingProxy(t, withWeb.url)
    const registry = registryOf(t, { url: proxy.url, mode })
    t.same(idsOf(await registry.discover('web')), ['http://10.1.1.1:8080'])
    t.same(await registry.discover('other'), [])
    t.same(await registry.listServices(), { web: [], legacy: [] })
    t.equal(proxy.count(), 0)
  })
}

t.test('hybrid: Consul first, the fallback for what is not there', async t => {
  const registry = registryOf(t, { url: withWeb.url, mode: 'hybrid' })
  t.same(idsOf(await registry.discover('web')), ['web-1'])
  t.same(idsOf(await registry.discover('legacy')), ['http://10.1.1.2:8080'])
  t.same(await registry.discover('other'), [])
  t.hasProps(await registry.listServices(), ['web', 'consul'])
})

t.test('hybrid without Consul: the fallback', async t => {
  const registry = registryOf(t, { url: `http://127.0.0.1:${await freePort()}`, mode: 'hybrid', timeout: 500 })
  t.same(idsOf(await registry.discover('web')), ['http://10.1.1.1:8080'])
  t.same(await registry.listServices(), { web: [], legacy: [] })
  await t.rejects(registry.discover('other'), { code: 'FST_CONSUL_UNAVAILABLE' })
})

t.test('full: what Consul says, and nothing else', async t => {
  const registry = registryOf(t, { url: withWeb.url, mode: 'full' })
  t.same(idsOf(await registry.discover('web')), ['web-1'])
  t.same(await registry.discover('legacy'), [])
  const lost = registryOf(t, { url: `http://127.0.0.1:${await freePort()}`, mode: 'full', timeout: 500 })
  await t.rejects(lost.discover('web'), { code: 'FST_CONSUL_UNAVAILABLE' })
  await t.rejects(lost.listServices(), { code: 'FST_CONSUL_UNAVAILABLE' })
})

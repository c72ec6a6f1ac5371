import t from 'tap'
import { createServiceRegistry } from '../../lib/create-service-registry.ts'
import type { ConsulOptions } from '../../lib/options/types.ts'
import type { ServiceRegistry } from '../../lib/registry.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import type { Teardown } from '../support/teardown.ts'
import { freePort } from '../support/ports.ts'
import { idsOf, register } from './helpers.ts'

/** The way from fixed addresses to Consul, mode by mode. */

const consul = await startConsul(t)
await register(consul, { Name: 'web', ID: 'web-1' })
const fallback = { web: 'http://10.1.1.1:8080', legacy: 'http://10.1.1.2:8080' }

function registryOf (t: Teardown, options: ConsulOptions): ServiceRegistry {
  const registry = createServiceRegistry('caller', 1, { logger: collectingLogger().logger, fallback, ...options })
  t.teardown(() => registry.close())
  return registry
}

for (const mode of ['static', 'register'] as const) {
  t.test(`${mode}: services are where the fallback says, and Consul is not asked`, async t => {
    const proxy = await startCountingProxy(t, consul.url)
    const registry = registryOf(t, { url: proxy.url, mode })
    t.same(idsOf(await registry.discover('web')), ['http://10.1.1.1:8080'])
    t.same(await registry.discover('other'), [])
    t.same(await registry.listServices(), { web: [], legacy: [] })
    t.equal(proxy.count(), 0)
  })
}

t.test('hybrid: Consul first, the fallback for what is not there', async t => {
  const registry = registryOf(t, { url: consul.url, mode: 'hybrid' })
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
  const registry = registryOf(t, { url: consul.url, mode: 'full' })
  t.same(idsOf(await registry.discover('web')), ['web-1'])
  t.same(await registry.discover('legacy'), [])
  const lost = registryOf(t, { url: `http://127.0.0.1:${await freePort()}`, mode: 'full', timeout: 500 })
  await t.rejects(lost.discover('web'), { code: 'FST_CONSUL_UNAVAILABLE' })
  await t.rejects(lost.listServices(), { code: 'FST_CONSUL_UNAVAILABLE' })
})

import t from 'tap'
import type { Discoverer } from '../../lib/health/service-check.ts'
import { serviceCheck } from '../../lib/health/service-check.ts'
import { HealthCheckManager } from '../../lib/health/manager.ts'

t.test('a service with an instance is healthy, one without makes the whole degraded', async t => {
  const instances = new Map<string, readonly unknown[]>([['l02-runtime', [{}]], ['l03', []]])
  const registry: Discoverer = { discover: async name => instances.get(name) ?? [] }
  const manager = new HealthCheckManager()
  manager.add(serviceCheck(registry, 'l02-runtime'))
  manager.add(serviceCheck(registry, 'l03'))
  t.same(await manager.check(), {
    status: 'degraded',
    checks: {
      'l02-runtime': { status: 'healthy' },
      l03: { status: 'unhealthy', message: 'no instance of l03 can be called' }
    }
  })
})

t.test('a critical service check makes the whole unhealthy', async t => {
  const registry: Discoverer = { discover: async () => { throw new Error('Consul has never answered') } }
  const manager = new HealthCheckManager()
  manager.add(serviceCheck(registry, 'l02-runtime', { name: 'runtime', critical: true }))
  t.same(await manager.check(), {
    status: 'unhealthy', checks: { runtime: { status: 'unhealthy', message: 'Consul has never answered' } }
  })
})

t.test('an app may get its discover() after the check was made', async t => {
  const app: Partial<Discoverer> = {}
  const check = serviceCheck(app as Discoverer, 'l02-runtime')
  app.discover = async () => [{}]
  t.equal(await check.run(new AbortController().signal), undefined)
})

t.test('no registry or no name is refused', async t => {
  t.throws(() => serviceCheck(null as unknown as Discoverer, 'a'), {
    code: 'FST_CONSUL_INVALID_OPTION', message: /with discover\(\), got null/
  })
  for (const name of ['', '.', '..', 'a\nb', undefined as unknown as string]) {
    t.throws(() => serviceCheck({ discover: async () => [] }, name), { code: 'FST_CONSUL_INVALID_NAME' })
  }
})

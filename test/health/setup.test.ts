import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { HealthCheckManager } from '../../lib/health/manager.ts'
import { setupHealthChecks } from '../../lib/health/setup.ts'

const db = { query: async () => [] }
const redis = { ping: async () => 'PONG' }

function appWith (manager: HealthCheckManager): FastifyInstance {
  return Fastify().decorate('consul', { health: manager } as unknown as FastifyInstance['consul'])
}

t.test('the usual checks are added to the app\'s manager, which is returned', async t => {
  const manager = new HealthCheckManager()
  t.equal(setupHealthChecks(appWith(manager), { db, redis }), manager)
  t.same(await manager.check(), {
    status: 'healthy', checks: { database: { status: 'healthy' }, redis: { status: 'healthy' } }
  })
})

t.test('what is not given is not checked', async t => {
  const manager = new HealthCheckManager()
  const app = appWith(manager)
  setupHealthChecks(app)
  setupHealthChecks(app, { db: undefined, redis })
  t.same(Object.keys((await manager.check()).checks), ['redis'])
})

t.test('checks can be set up when the app is ready', async t => {
  const manager = new HealthCheckManager()
  const app = appWith(manager)
  await app.ready()
  t.teardown(() => app.close())
  t.equal((await manager.check()).status, 'healthy')
  setupHealthChecks(app, { db: { query: async () => { throw new Error('gone') } } })
  t.equal((await manager.check()).status, 'unhealthy')
})

t.test('an app without the plugin is told how to get it', async t => {
  const message = /call `await app\.register\(consul\)` before it/
  for (const app of [Fastify(), {}, undefined as unknown as object, { consul: {} }]) {
    t.throws(() => setupHealthChecks(app, { db }), { code: 'FST_CONSUL_INVALID_OPTION', message })
  }
})

t.test('what cannot be checked is refused', async t => {
  const app = appWith(new HealthCheckManager())
  const code = 'FST_CONSUL_INVALID_OPTION'
  t.throws(() => setupHealthChecks(app, { db: {} }), { code, message: /The database of a health check/ })
  t.throws(() => setupHealthChecks(app, { db: null } as object), { code, message: /The database .* got null$/ })
  t.throws(() => setupHealthChecks(app, { redis: {} }), { code, message: /The client of a Redis health check/ })
  t.throws(() => setupHealthChecks(app, { database: db } as object), { code, message: /got database/ })
  setupHealthChecks(app, { db })
  t.throws(() => setupHealthChecks(app, { db }), { code: 'FST_CONSUL_DUPLICATE_CHECK' })
})

import { Redis } from 'ioredis'
import { createClient } from 'redis'
import t, { type Test } from 'tap'
import { HealthCheckManager } from '../../lib/health/manager.ts'
import { redisCheck } from '../../lib/health/redis-check.ts'
import { startProxy, type Proxy } from '../support/proxy.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/wait.ts'

type Connect = (t: Test, url: string) => Promise<object>

const clients: Record<string, Connect> = {
  async ioredis (t, url) {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => 20 })
    client.on('error', () => {})
    t.teardown(() => client.disconnect())
    await client.connect()
    return client
  },
  async 'node-redis' (t, url) {
    const client = createClient({ url, socket: { reconnectStrategy: 20 } })
    client.on('error', () => {})
    t.teardown(() => client.destroy())
    await client.connect()
    return client
  }
}

async function startAll (t: Test): Promise<{ proxy: Proxy, url: string }> {
  const proxy = await startProxy(t, await startRedis(t))
  return { proxy, url: `redis://${proxy.host}:${proxy.port}` }
}

function managerFor (client: object): HealthCheckManager {
  const manager = new HealthCheckManager({ cacheFor: 0, timeout: 2000 })
  manager.add(redisCheck(client))
  return manager
}

for (const [name, connect] of Object.entries(clients)) {
  t.test(`health follows a Redis that goes away and comes back, seen by ${name}`, async t => {
    const { proxy, url } = await startAll(t)
    const manager = managerFor(await connect(t, url))
    t.same(await manager.check(), { status: 'healthy', checks: { redis: { status: 'healthy' } } })
    await proxy.refuse(true)
    proxy.reset()
    await until(async () => (await manager.check()).status === 'unhealthy')
    await proxy.refuse(false)
    await until(async () => (await manager.check()).status === 'healthy')
  })

  t.test(`a Redis that does not answer ${name} has failed at the limit, and is healthy once it does`, async t => {
    const { proxy, url } = await startAll(t)
    const manager = managerFor(await connect(t, url))
    t.equal((await manager.check()).status, 'healthy')
    proxy.blackhole(true)
    t.match(await manager.check(), { checks: { redis: { message: 'did not settle within 2000 ms' } } })
    t.match(await manager.check(), { checks: { redis: { message: 'its last run has not settled' } } })
    proxy.blackhole(false)
    await until(async () => (await manager.check()).status === 'healthy')
  })
}

t.test('what is no client is refused when the check is made, what gives no promise has not succeeded', async t => {
  t.throws(() => redisCheck({}), {
    code: 'FST_CONSUL_INVALID_OPTION',
    message: 'The client of a Redis health check must be a client of ioredis or node-redis, ' +
      'or an object whose ping() gives a promise, got object'
  })
  const check = redisCheck({ ping: () => true }, { name: 'cache', critical: false, timeout: 50 })
  t.match(check, { name: 'cache', critical: false, timeout: 50 })
  t.same(await check.run(new AbortController().signal), { status: 'unhealthy', message: 'ping() gave no promise' })
})

import t from 'tap'
import type { HealthCheck } from '../lib/options/types.ts'
import { messages } from './lifecycle/app.ts'
import { checksOf, onlyCheckOf, registered, statusesOf } from './lifecycle/catalog.ts'
import { testRegistry } from './lifecycle/registry.ts'
import { startConsul } from './support/consul.ts'
import { startCountingProxy } from './support/counting-proxy.ts'
import { until } from './support/wait.ts'

const consul = await startConsul(t)
const { url } = consul

function database (): { check: HealthCheck, become: (status: 'healthy' | 'degraded' | 'unhealthy') => void } {
  let status: 'healthy' | 'degraded' | 'unhealthy' = 'healthy'
  return { check: { name: 'database', run: () => ({ status }) }, become: next => { status = next } }
}

t.test('the registry keeps its TTL check by its own health checks: each status is told', async t => {
  const { check, become } = database()
  const { registry, lines } = testRegistry(t, 'beating', 9100, {
    url, check: { interval: '1s' }, health: { checks: [check], cacheFor: 0 }
  })
  await registry.register()
  await registered(consul, 'beating', 'passing')
  become('unhealthy')
  await registered(consul, 'beating', 'critical')
  t.match(await onlyCheckOf(consul, 'beating'), { Status: 'critical', Output: 'unhealthy: database' })
  become('degraded')
  await registered(consul, 'beating', 'warning')
  become('healthy')
  await registered(consul, 'beating', 'passing')
  t.match(await onlyCheckOf(consul, 'beating'), { CheckID: /:a$/ }, 'without registering again')
  t.equal(messages(lines).filter(line => line.startsWith('Registered')).length, 1)
})

t.test('unhealthy at the start it is critical; the first healthy result is told within seconds', async t => {
  const { check, become } = database()
  become('unhealthy')
  const { registry } = testRegistry(t, 'ill', 9101, {
    url, check: { interval: '1h' }, health: { checks: [check], cacheFor: 0 }
  })
  await registry.register()
  await registered(consul, 'ill', 'critical')
  become('healthy')
  await registered(consul, 'ill', 'passing')
})

t.test('heartbeats go on: the check outlives its time to live', async t => {
  const proxy = await startCountingProxy(t, url)
  const { registry } = testRegistry(t, 'lively', 9102, {
    url: proxy.url, check: { interval: '1s' }, service: { id: 'lively' }
  })
  await registry.register()
  const beats = '/v1/agent/check/update/service%3Alively%3Aa'
  await until(() => proxy.count(beats) >= 5, { timeout: 15_000 }) // The TTL is three intervals.
  t.same(await statusesOf(consul, 'lively'), ['passing'])
})

t.test('when the beats stop, Consul finds out by itself', async t => {
  const proxy = await startCountingProxy(t, url)
  const { registry } = testRegistry(t, 'stuck', 9103, { url: proxy.url, check: { interval: '1s' } })
  await registry.register()
  await registered(consul, 'stuck', 'passing')
  proxy.answer = ({ url }) => url.startsWith('/v1/agent/check/update') ? { status: 500, body: 'no' } : undefined
  await registered(consul, 'stuck', 'critical')
  proxy.answer = () => undefined
  await registered(consul, 'stuck', 'passing')
})

t.test('an agent that forgets the check alone gets it back, with one line', async t => {
  const { registry, lines } = testRegistry(t, 'forgotten', 9104, {
    url, check: { interval: '1s' }, service: { id: 'forgotten' }
  })
  await registry.register()
  await registered(consul, 'forgotten', 'passing')
  await consul.api('PUT', '/v1/agent/check/deregister/service:forgotten:a')
  await until(async () => (await checksOf(consul, 'forgotten')).length === 1)
  await registered(consul, 'forgotten', 'passing')
  await until(() => registry.registration.state === 'registered')
  t.same(messages(lines), ['Registered with Consul', 'The registration was lost and is written again'])
})

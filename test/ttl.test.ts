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

t.test('when the beats are refused, Consul finds out by itself, and the reason is told once', async t => {
  const proxy = await startCountingProxy(t, url)
  const { registry, lines } = testRegistry(t, 'stuck', 9103, {
    url: proxy.url, check: { interval: '1s' }, service: { id: 'stuck' }
  })
  await registry.register()
  await registered(consul, 'stuck', 'passing')
  await until(() => registry.registration.state === 'registered')
  proxy.answer = ({ url }) => url.startsWith('/v1/agent/check/update') ? { status: 403, body: 'denied' } : undefined
  await registered(consul, 'stuck', 'critical')
  const beats = (): number => proxy.count('/v1/agent/check/update/service%3Astuck%3Aa')
  const before = beats()
  await until(() => beats() >= before + 5, { timeout: 20_000 })
  t.match(registry.registration, { state: 'registered', error: { code: 'FST_CONSUL_API_FORBIDDEN' } })
  t.same(messages(lines, 'warn').filter(line => !line.startsWith('The ACL token')), [
    'Consul does not take the status of the TTL check; it is told again'
  ], 'and nothing of an agent that cannot reach it')
  proxy.answer = () => undefined
  await registered(consul, 'stuck', 'passing')
  await until(() => registry.registration.error === undefined)
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

t.test('thresholds count the results, as Consul does for checks of its own', async t => {
  const { check, become } = database()
  const proxy = await startCountingProxy(t, url)
  const { registry } = testRegistry(t, 'steady', 9105, {
    url: proxy.url,
    check: { interval: '1s', failuresBeforeCritical: 3, successBeforePassing: 2 },
    service: { id: 'steady' },
    health: { checks: [check], cacheFor: 0 }
  })
  const told: string[] = []
  const update = registry.client.updateCheck.bind(registry.client)
  const statuses = t.capture(registry.client, 'updateCheck', (...args: Parameters<typeof update>) => {
    if (args[1] === 'critical') become('healthy') // Before it is told a second time.
    return update(...args)
  })
  const collect = (): string[] => {
    told.push(...statuses().map(({ args: [, status, output] }) => `${status} (${output})`))
    return told
  }
  await registry.register()
  await registered(consul, 'steady', 'passing')
  become('unhealthy')
  await registered(consul, 'steady', 'critical')
  await registered(consul, 'steady', 'passing')
  const turns = collect().filter((status, index) => status.includes(':') || told[index - 1]?.includes(':'))
  t.same(turns, [
    'passing (unhealthy: database)', 'passing (unhealthy: database)', 'critical (unhealthy: database)',
    'critical (healthy)'
  ])
})

t.test('a beat that is slow to be answered makes the next one no later', async t => {
  const proxy = await startCountingProxy(t, url)
  const { registry } = testRegistry(t, 'on-time', 9106, {
    url: proxy.url, check: { interval: '1s' }, service: { id: 'on-time' }
  })
  const times: number[] = []
  proxy.answer = async ({ url }) => {
    if (!url.startsWith('/v1/agent/check/update')) return undefined
    times.push(performance.now())
    await new Promise(resolve => setTimeout(resolve, 700))
    return undefined
  }
  await registry.register()
  await until(() => times.length >= 5, { timeout: 20_000 })
  const gaps = times.slice(1).map((time, index) => time - times[index]!)
  t.ok(Math.min(...gaps) < 1400, `${gaps.map(Math.round)}`)
})

t.test('removed while it was critical, it comes back when it is not', async t => {
  const { check, become } = database()
  const { registry, lines } = testRegistry(t, 'reaped', 9107, {
    url, check: { interval: '1s' }, service: { id: 'reaped' }, health: { checks: [check], cacheFor: 0 }
  })
  await registry.register()
  await registered(consul, 'reaped', 'passing')
  become('unhealthy')
  await registered(consul, 'reaped', 'critical')
  await consul.api('PUT', '/v1/agent/service/deregister/reaped') // As Consul does after `deregisterAfter`.
  await until(() => registry.registration.state === 'registering')
  const runs = t.capture(registry.health, 'check', registry.health.check.bind(registry.health))
  let count = 0
  await until(() => (count += runs().length) >= 2)
  t.same(await statusesOf(consul, 'reaped'), [])
  become('healthy')
  await registered(consul, 'reaped', 'passing')
  t.equal(messages(lines).filter(line => line.startsWith('The registration was lost')).length, 1)
})

import t from 'tap'
import type { HealthCheck } from '../lib/options/types.ts'
import { listeningApp, messages } from './lifecycle/app.ts'
import { onlyCheckOf, registered, statusesOf } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { startCountingProxy } from './support/counting-proxy.ts'
import { until } from './support/wait.ts'

const consul = await startConsul(t)
const { url } = consul

/** A check that answers what the test says. Consul's own would look only after an hour. */
function database (): { check: HealthCheck, become: (status: 'healthy' | 'degraded' | 'unhealthy') => void } {
  let status: 'healthy' | 'degraded' | 'unhealthy' = 'unhealthy'
  return { check: { name: 'database', run: () => ({ status }) }, become: next => { status = next } }
}

t.test('unhealthy at the start: critical in Consul; the first healthy result is pushed at once', async t => {
  const { check, become } = database()
  const { lines } = await listeningApp(t, {
    url, service: { name: 'ill', id: 'ill' }, check: { interval: '1h' }, health: { checks: [check], cacheFor: 0 }
  })
  await registered(consul, 'ill', 'critical')
  become('healthy')
  await registered(consul, 'ill', 'passing')
  t.match(await onlyCheckOf(consul, 'ill'), { CheckID: 'service:ill:b' })
  t.same(messages(lines).filter(line => line.startsWith('Consul\'s check')), [], 'no contradiction is seen in that')
})

t.test('from unhealthy over degraded to healthy: critical, warning, passing', async t => {
  const { check, become } = database()
  await listeningApp(t, {
    url, service: { name: 'slowly' }, check: { interval: '1h' }, health: { checks: [check], cacheFor: 0 }
  })
  await registered(consul, 'slowly', 'critical')
  become('degraded')
  await registered(consul, 'slowly', 'warning')
  become('unhealthy')
  become('healthy')
  await registered(consul, 'slowly', 'passing')
})

t.test('healthy at the start: passing, and nothing is written again', async t => {
  const proxy = await startCountingProxy(t, url)
  const { check, become } = database()
  become('healthy')
  const { app } = await listeningApp(t, {
    url: proxy.url, service: { name: 'well' }, check: { interval: '1h' }, health: { checks: [check], cacheFor: 0 }
  })
  await until(() => app.consul.registration.state === 'registered')
  t.same(await statusesOf(consul, 'well'), ['passing'])
  become('degraded')
  await app.consul.health.check()
  become('healthy')
  await app.consul.health.check()
  t.equal(proxy.count('/v1/agent/service/register'), 1, 'what changes later is for Consul\'s own check')
})

t.test('Consul\'s check finds a service out that falls ill later', async t => {
  const { check, become } = database()
  become('healthy')
  const { lines } = await listeningApp(t, {
    url, service: { name: 'falling' }, check: { interval: '1s' }, health: { checks: [check], cacheFor: 0 }
  })
  await registered(consul, 'falling', 'passing')
  become('degraded')
  await registered(consul, 'falling', 'warning')
  become('unhealthy')
  await registered(consul, 'falling', 'critical')
  become('healthy')
  await registered(consul, 'falling', 'passing')
  t.notMatch(messages(lines).join(), /Consul's check fails/)
})

t.test('a push that Consul does not take is tried again', async t => {
  const proxy = await startCountingProxy(t, url)
  const { check, become } = database()
  const { app, lines } = await listeningApp(t, {
    url: proxy.url, service: { name: 'pushed' }, check: { interval: '1h' }, health: { checks: [check], cacheFor: 0 }
  })
  await registered(consul, 'pushed', 'critical')
  await until(() => app.consul.registration.state === 'registered')
  let refusals = 0
  proxy.answer = ({ method }) => method === 'PUT' && ++refusals < 3
    ? { status: 500, body: refusals === 1 ? 'No cluster leader' : 'rpc error making call: EOF' }
    : undefined
  become('healthy')
  await registered(consul, 'pushed', 'passing')
  await until(() => app.consul.registration.error === undefined)
  const told = messages(lines, 'warn').filter(line => line.startsWith('The registration could not'))
  t.equal(told.length, 1)
})

t.test('while Consul is down a push waits for it, and asks nothing itself', async t => {
  const own = await startConsul(t)
  const { check, become } = database()
  const { app } = await listeningApp(t, {
    url: own.url, service: { name: 'waiting' }, check: { interval: '1h' }, health: { checks: [check], cacheFor: 0 }
  })
  await until(() => app.consul.registration.state === 'registered')
  const { client } = app.consul
  const pushes = t.capture(client, 'agentChecks', client.agentChecks)
  const probes = t.capture(client, 'leader', client.leader)
  await own.kill()
  become('healthy')
  await until(() => app.consul.registration.error)
  let probed = probes().length
  await until(() => (probed += probes().length) > 5, { timeout: 20_000 }) // They are a second apart by then.
  t.equal(pushes().length, 1)
  await own.start()
  await registered(own, 'waiting', 'passing')
})

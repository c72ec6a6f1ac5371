import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { anyConsul } from './any-consul.ts'
import { startCluster } from './consul-cluster.ts'
import { startConsul } from './consul.ts'
import { until } from './wait.ts'

t.test('an agent restarted in dev mode is empty', async t => {
  const consul = await startConsul(t)
  await consul.api('PUT', '/v1/agent/service/register', { Name: 'a' })
  const before = await consul.api<Record<string, unknown>>('GET', '/v1/agent/services')
  t.match(before.json, { a: Object })
  await consul.kill()
  await t.rejects(consul.api('GET', '/v1/agent/self'))
  await consul.start()
  const after = await consul.api<Record<string, unknown>>('GET', '/v1/agent/services')
  t.strictSame(after.json, {})
})

t.test('an agent with a data folder keeps its services', async t => {
  const consul = await startConsul(t, { persist: true })
  await consul.api('PUT', '/v1/agent/service/register', { Name: 'a' })
  await consul.stop()
  await consul.start()
  const { json } = await consul.api<Record<string, unknown>>('GET', '/v1/agent/services')
  t.match(json, { a: Object })
})

t.test('with access control only the token sees anything', async t => {
  const consul = await startConsul(t, { acl: true })
  t.equal((await consul.api('GET', '/v1/agent/self')).status, 200)
  t.equal((await fetch(`${consul.url}/v1/agent/self`)).status, 403)
})

t.test('a suspended agent answers when it is resumed', async t => {
  const consul = await startConsul(t)
  await consul.suspend()
  const answer = consul.api('GET', '/v1/agent/self')
  const first = await Promise.race([answer.then(() => 'answer'), delay(100, 'nothing')])
  t.equal(first, 'nothing')
  consul.resume()
  t.equal((await answer).status, 200)
})

t.test('an agent with an impossible configuration says why it ended', async t => {
  await t.rejects(startConsul(t, { config: { no_such_key: true } }), { message: /no_such_key/ })
})

// Consul cluster

t.test('three servers elect a new leader when theirs is killed', {
  skip: process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8'
}, async t => {
  const cluster = await startCluster(t)
  const leader = await cluster.leader()
  await leader.kill()
  const others = cluster.servers.filter(server => server !== leader)
  const next = await until(async () => {
    const seen = await cluster.leader(others[0])
    return seen !== leader && seen
  }, { timeout: 20_000, what: 'a new leader' })
  t.not(next, leader)
})

// Containers

t.test('whichever Consul is at hand has a leader and takes a service', async t => {
  const { api } = await anyConsul(t)
  const id = `anywhere-${process.pid}`
  await api('PUT', '/v1/agent/service/register', { ID: id, Name: 'anywhere' })
  t.teardown(() => api('PUT', `/v1/agent/service/deregister/${id}`))
  const { json } = await api<Array<{ ServiceID: string }>>('GET', '/v1/catalog/service/anywhere?consistent')
  t.ok(json.some(({ ServiceID }) => ServiceID === id))
})

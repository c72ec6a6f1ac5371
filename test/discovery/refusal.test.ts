import { randomUUID } from 'node:crypto'
import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/wait.ts'
import { idsOf, register, setStatus, startCatalog } from './helpers.ts'

/** Consul answers, but not with a list. */

const consul = await startConsul(t, { acl: true })
const refused = 'warn Consul does not list a service; what is known of it is kept'
const again = 'info Consul lists its services again'
for (const name of ['web', 'db']) await register(consul, { Name: name })

async function newToken (): Promise<{ token: string, revoke: () => Promise<unknown> }> {
  const Name = randomUUID()
  const Rules = 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }'
  await consul.api('PUT', '/v1/acl/policy', { Name, Rules })
  const { json } = await consul.api<{ SecretID: string, AccessorID: string }>(
    'PUT', '/v1/acl/token', { Policies: [{ Name }] })
  return { token: json.SecretID, revoke: () => consul.api('DELETE', `/v1/acl/token/${json.AccessorID}`) }
}

t.test('an unknown token: the first call fails with Consul\'s words, and not every call asks again', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const clock = new ManualClock()
  const token = randomUUID()
  const { catalog, log } = startCatalog(t, proxy.url, { connection: { token }, clock })
  const error = await catalog.discover('web').catch(error => error)
  t.match(error, {
    code: 'FST_CONSUL_UNAVAILABLE',
    statusCode: 503,
    message: 'Consul has not said where web is: Consul forbids GET /v1/health/service/web (403): ACL not found. ' +
      'Check the token and its rights (service:read, node:read), or list web in fallback',
    cause: { code: 'FST_CONSUL_API_FORBIDDEN' }
  })
  t.notOk(JSON.stringify([error.message, error.stack, error.cause.message]).includes(token))
  clock.advance(4999)
  for (let i = 0; i < 100; i++) await t.rejects(catalog.discover('web'), { message: /ACL not found/ })
  t.equal(proxy.count(), 1)
  clock.advance(1)
  await t.rejects(catalog.discover('web'), { message: /ACL not found/ })
  t.equal(proxy.count(), 2)
  t.same(log(), [], 'the caller knows; names that were never found do not fill the log')
})

t.test('a token revoked while services are watched: lists stay, one line; another token: one line, news', async t => {
  const first = await newToken()
  let { token } = first
  const { catalog, ids, log, lines } = startCatalog(t, consul.url, { wait: 200, connection: { token: () => token } })
  t.same([await ids('web'), await ids('db')], [['web'], ['db']])
  await first.revoke()
  await until(() => catalog.view('web')?.error !== undefined && catalog.view('db')?.error !== undefined)
  t.same([await ids('web'), await ids('db')], [['web'], ['db']])
  t.match(catalog.view('web')?.error, { code: 'FST_CONSUL_API_FORBIDDEN', message: /ACL not found$/ })
  await setStatus(consul, 'db', 'critical')
  token = (await newToken()).token
  await until(() => catalog.view('db')?.snapshot?.healthy.length === 0 && log().includes(again), { timeout: 10_000 })
  t.same(log().filter(line => line === refused || line === again), [refused, again])
  t.notOk(JSON.stringify(lines.map(({ details }) => details)).includes(first.token))
  await setStatus(consul, 'db', 'passing')
})

t.test('a token that cannot be had is no outage', async t => {
  let isSealed = true
  const { catalog, connectivity, ids } = startCatalog(t, consul.url, {
    connection: {
      token: () => {
        if (isSealed) throw new Error('the vault is sealed')
        return consul.token!
      }
    },
    clock: new ManualClock()
  })
  await t.rejects(catalog.discover('web'), { code: 'FST_CONSUL_UNAVAILABLE', message: /the vault is sealed/ })
  t.ok(connectivity.up)
  isSealed = false
  t.same(await ids('db'), ['db'])
})

// Fakes: what this agent cannot be brought to say is said by the proxy.
t.test('429 and 500: lists stay, first calls fail in Consul\'s words, and are asked again after a while', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const clock = new ManualClock()
  const { catalog, ids } = startCatalog(t, proxy.url, { connection: { token: consul.token! }, clock })
  t.same(await ids('web'), ['web'])
  for (const [status, body, pause] of [[429, 'slow down', 5000], [500, 'No cluster leader', 1000]] as const) {
    proxy.answer = () => ({ status, body })
    const name = `asked-${status}`
    const asked = () => proxy.count(`/v1/health/service/${name}`)
    await t.rejects(catalog.discover(name), { code: 'FST_CONSUL_UNAVAILABLE', message: new RegExp(body) })
    clock.advance(pause - 1)
    await t.rejects(catalog.discover(name), { message: new RegExp(body) })
    t.equal(asked(), 1)
    t.same(idsOf(catalog.peek('web')), ['web'])
    proxy.answer = () => undefined
    clock.advance(1)
    t.same(await ids(name), [])
    t.equal(asked(), 2)
  }
})

t.test('a polled service is not asked for at every call while Consul refuses', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const clock = new ManualClock()
  const { catalog, ids, log } = startCatalog(t, proxy.url, {
    connection: { token: consul.token! }, clock, maxWatches: 1
  })
  await ids('web')
  await ids('db')
  t.equal(catalog.view('db')?.upkeep, 'polled')
  proxy.answer = () => ({ status: 403, body: 'ACL not found' })
  clock.advance(3000)
  const asked = () => proxy.count('/v1/health/service/db')
  t.same(await ids('db'), ['db'])
  await until(() => catalog.view('db')?.error !== undefined)
  for (let i = 0; i < 100; i++) t.same(await ids('db'), ['db'])
  t.equal(asked(), 2)
  clock.advance(5000)
  await ids('db')
  await until(() => asked() === 3)
  t.ok(log().includes(refused))
})

t.test('a body that is no answer of Consul\'s does not become a list', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog, ids } = startCatalog(t, proxy.url, { wait: 50, connection: { token: consul.token! } })
  t.same(await ids('web'), ['web'])
  proxy.answer = () => ({ status: 200, headers: { 'x-consul-index': '99999999' }, body: '[{}]' })
  await until(() => catalog.view('web')?.error !== undefined)
  t.match(catalog.view('web')?.error, { code: 'FST_CONSUL_API_ANSWER' })
  t.same(await ids('web'), ['web'])
  await t.rejects(catalog.discover('other'), {
    code: 'FST_CONSUL_UNAVAILABLE', message: /is not what Consul sends.*\. Check the agent and its servers/
  })
})

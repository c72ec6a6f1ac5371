import t from 'tap'
import { setPolicy, issueToken } from './lifecycle/acl.ts'
import { checksOf, onlyCheckOf, registered } from './lifecycle/catalog.ts'
import { registrationParts } from './lifecycle/parts.ts'
import { Registration } from '../lib/lifecycle/registration.ts'
import { messages } from './lifecycle/app.ts'
import { startConsul } from './support/consul.ts'
import { startCountingProxy } from './support/counting-proxy.ts'
import { until } from './support/wait.ts'

const consul = await startConsul(t, { acl: true })
const rules = (name: string): string => `service "${name}" { policy = "write" } node_prefix "" { policy = "read" }`

for (const type of ['ttl', 'http'] as const) {
  t.test(`with another token a service with a ${type} check is written again`, async t => {
    const name = `rotated-${type}`
    await setPolicy(consul, name, rules(name))
    const old = await issueToken(consul, name)
    const fresh = await issueToken(consul, name)
    const proxy = await startCountingProxy(t, consul.url)
    let token = old.token
    let tell = (): void => {}
    let status: 'passing' | 'critical' = 'passing'
    const { parts, plan, lines } = registrationParts(t, {
      url: proxy.url, token: () => token, service: { name, id: name }, check: { type, interval: '1s' }
    })
    const registration = new Registration({
      ...parts,
      readiness: async () => ({ status, output: status }),
      onTokenChange: listener => {
        tell = listener
        return () => { tell = () => {} }
      }
    })
    t.teardown(() => registration.close())
    await registration.start(plan)
    await until(() => registration.status.state === 'registered')
    await registered(consul, name, type === 'ttl' ? 'passing' : undefined) // Nobody listens where Consul looks.

    const writes = () => proxy.requests.filter(({ url }) => url.startsWith('/v1/agent/service/register'))
    token = fresh.token
    tell()
    await until(() => writes().length === 2)
    t.same(writes().map(({ headers }) => headers['x-consul-token']), [old.token, fresh.token])
    await until(async () => (await checksOf(consul, name)).length === 1, { what: 'one check' })
    t.equal(messages(lines).at(-1), 'The token has changed: the registration is written again with it')

    // What the agent tells the catalog about the service it tells with the service's token.
    await old.revoke()
    status = 'critical'
    await until(async () => (await onlyCheckOf(consul, name)).Status === 'critical', { timeout: 15_000 })
    await registration.withdraw(5000)
    t.ok(messages(lines).includes('Deregistered from Consul'))
  })
}

t.test('the old token revoked first, the check that it was written with goes all the same', async t => {
  const name = 'revoked'
  await setPolicy(consul, name, rules(name))
  const old = await issueToken(consul, name)
  const fresh = await issueToken(consul, name)
  let token = old.token
  let tell = (): void => {}
  let status: 'passing' | 'critical' = 'passing'
  const { parts, plan } = registrationParts(t, {
    url: consul.url, token: () => token, service: { name, id: name }, check: { interval: '24h' }
  })
  const registration = new Registration({
    ...parts,
    readiness: async () => ({ status, output: status }),
    onTokenChange: listener => {
      tell = listener
      return () => {}
    }
  })
  t.teardown(() => registration.close())
  await registration.start(plan)
  t.match(await onlyCheckOf(consul, name), { CheckID: 'service:revoked:a', Status: 'passing' })
  await old.revoke()
  token = fresh.token
  status = 'critical'
  tell()
  await until(async () => (await onlyCheckOf(consul, name)).CheckID === 'service:revoked:b')
  t.match(await onlyCheckOf(consul, name), { Status: 'critical' })
})

t.test('a token that is changed while nothing is registered causes no write', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  proxy.answer = ({ method }) => method === 'PUT' ? { status: 403, body: 'Permission denied' } : undefined
  let tell = (): void => {}
  const { parts, plan } = registrationParts(t, {
    url: proxy.url, token: consul.token, service: { name: 'none', id: 'none' }
  })
  const registration = new Registration({
    ...parts,
    onTokenChange: listener => {
      tell = listener
      return () => {}
    }
  })
  t.teardown(() => registration.close())
  await t.rejects(registration.start(plan), { code: 'FST_CONSUL_API_FORBIDDEN' })
  const puts = () => proxy.requests.filter(({ method }) => method === 'PUT').length
  const before = puts()
  tell()
  await parts.client.leader()
  t.equal(puts(), before)
})

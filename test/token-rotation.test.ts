import t, { type Test } from 'tap'
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

/** A registration whose readiness and token the test changes; of the token it tells when it likes. */
function changeable (t: Test, name: string, options: Omit<Parameters<typeof registrationParts>[1], 'service'>) {
  const { parts, plan, lines } = registrationParts(t, { url: consul.url, ...options, service: { name, id: name } })
  const present = { status: 'passing' as 'passing' | 'critical', tell: () => {} }
  const registration = new Registration({
    ...parts,
    readiness: async () => ({ status: present.status, output: present.status }),
    onTokenChange: listener => {
      present.tell = listener
      return () => { present.tell = () => {} }
    }
  })
  t.teardown(() => registration.close())
  return { registration, plan, lines, present, client: parts.client }
}

/** Two tokens of one service. */
async function tokensFor (name: string) {
  await setPolicy(consul, name, rules(name))
  return { old: await issueToken(consul, name), fresh: await issueToken(consul, name) }
}

for (const type of ['ttl', 'http'] as const) {
  t.test(`with another token a service with a ${type} check is written again`, async t => {
    const name = `rotated-${type}`
    const { old, fresh } = await tokensFor(name)
    const proxy = await startCountingProxy(t, consul.url)
    let token = old.token
    const { registration, plan, lines, present } = changeable(t, name, {
      url: proxy.url, token: () => token, check: { type, interval: '1s' }
    })
    await registration.start(plan)
    await until(() => registration.status.state === 'registered')
    await registered(consul, name, type === 'ttl' ? 'passing' : undefined) // Nobody listens where Consul looks.

    const writes = () => proxy.requests.filter(({ url }) => url.startsWith('/v1/agent/service/register'))
    token = fresh.token
    present.tell()
    await until(() => writes().length === 2)
    t.same(writes().map(({ headers }) => headers['x-consul-token']), [old.token, fresh.token])
    await until(async () => (await checksOf(consul, name)).length === 1, { what: 'one check' })
    t.equal(messages(lines).at(-1), 'The token has changed: the registration is written again with it')

    // What the agent tells the catalog about the service it tells with the service's token.
    await old.revoke()
    present.status = 'critical'
    await until(async () => (await onlyCheckOf(consul, name)).Status === 'critical', { timeout: 15_000 })
    await registration.withdraw(5000)
    t.ok(messages(lines).includes('Deregistered from Consul'))
  })
}

t.test('the old token revoked first, the check that it was written with goes all the same', async t => {
  const name = 'revoked'
  const { old, fresh } = await tokensFor(name)
  let token = old.token
  const { registration, plan, present } = changeable(t, name, { token: () => token, check: { interval: '24h' } })
  await registration.start(plan)
  t.match(await onlyCheckOf(consul, name), { CheckID: 'service:revoked:a', Status: 'passing' })
  await old.revoke()
  token = fresh.token
  present.status = 'critical'
  present.tell()
  await until(async () => (await onlyCheckOf(consul, name)).CheckID === 'service:revoked:b')
  t.match(await onlyCheckOf(consul, name), { Status: 'critical' })
})

t.test('a token that is changed while nothing is registered causes no write', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  proxy.answer = ({ method }) => method === 'PUT' ? { status: 403, body: 'Permission denied' } : undefined
  const { registration, plan, present, client } = changeable(t, 'none', { url: proxy.url, token: consul.token })
  await t.rejects(registration.start(plan), { code: 'FST_CONSUL_API_FORBIDDEN' })
  const puts = () => proxy.requests.filter(({ method }) => method === 'PUT').length
  const before = puts()
  present.tell()
  await client.leader()
  t.equal(puts(), before)
})

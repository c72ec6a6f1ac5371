import t, { type Test } from 'tap'
import { listeningApp, messages, type TestApp } from './lifecycle/app.ts'
import { agentService } from './lifecycle/catalog.ts'
import { issueToken, setPolicy } from './lifecycle/acl.ts'
import { createConsul, startConsul, type ConsulAgent } from './support/consul.ts'
import { consulApi } from './support/consul-api.ts'
import { startCountingProxy } from './support/counting-proxy.ts'
import { until } from './support/wait.ts'

const consul = await startConsul(t, { acl: true })

t.test('a token without node:read registers, unconfirmed, with one line; the drain is the delay', async t => {
  await setPolicy(consul, 'only-service', 'service "shy" { policy = "write" }')
  const { token } = await issueToken(consul, 'only-service')
  const { app, lines } = await listeningApp(t, {
    url: consul.url,
    token,
    service: { name: 'shy', id: 'shy' },
    discovery: { wait: '1s' },
    drain: { delay: 200, timeout: '20s' }
  })
  await until(() => app.consul.registration.state === 'unconfirmed', { timeout: 15_000 })
  t.match(await agentService(consul, 'shy'), { ID: 'shy' })
  // What the token lacks is told beside it, at any time.
  t.same(messages(lines).filter(message => !message.startsWith('The ACL token lacks')), [
    'Registered with Consul',
    'The agent took the registration, but the catalog does not show it: the token may lack node:read'
  ])
  const started = performance.now()
  await app.close()
  t.ok(performance.now() - started < 15_000)
  t.equal(await agentService(consul, 'shy'), undefined)
})

t.test('once the catalog shows it, it is registered', async t => {
  await setPolicy(consul, 'growing', 'service "bold" { policy = "write" }')
  const { token } = await issueToken(consul, 'growing')
  const { app, lines } = await listeningApp(t, {
    url: consul.url, token, service: { name: 'bold' }, discovery: { wait: '1s' }
  })
  await until(() => app.consul.registration.state === 'unconfirmed', { timeout: 15_000 })
  await setPolicy(consul, 'growing', 'service "bold" { policy = "write" } node_prefix "" { policy = "read" }')
  await until(() => app.consul.registration.state === 'registered', { timeout: 15_000 })
  t.equal(messages(lines).at(-1), 'The catalog shows the registration')
})

t.test('a list that is filtered does not say that the service is gone: nothing is written again', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const { app } = await listeningApp(t, {
    url: proxy.url, token: consul.token!, service: { name: 'veiled' }, discovery: { wait: '1s' }
  })
  await until(() => app.consul.registration.state === 'registered')
  const health = '/v1/health/service/veiled'
  let index = 1_000_000
  proxy.answer = async ({ url }) => {
    if (!url.startsWith(health)) return undefined
    index++
    return {
      status: 200,
      headers: { 'x-consul-index': String(index), 'x-consul-results-filtered-by-acls': 'true' },
      body: '[]'
    }
  }
  const writes = proxy.count('/v1/agent/service/register')
  const asked = proxy.count(health)
  await until(() => proxy.count(health) > asked + 6)
  t.equal(proxy.count('/v1/agent/service/register'), writes)
  t.equal(app.consul.registration.state, 'registered')
  proxy.answer = () => undefined
})

/** How often to try: the agent may look at the rights again before the service is registered. */
const tries = 8

t.test('a registration that the agent took and the servers refuse is an error, in one line', async t => {
  // An agent that is no server decides by rights that it has seen a while ago; the servers look again.
  const management = consul.token!
  const agent = await createConsul(t, {
    persist: true,
    config: {
      server: false,
      bootstrap_expect: 0,
      node_name: 'client',
      retry_join: [consul.gossipAddress],
      retry_interval: '200ms',
      acl: { enabled: true, default_policy: 'deny', tokens: { agent: management, default: management } }
    }
  })
  await agent.start()
  let taken: TestApp | undefined
  for (let round = 0; round < tries && taken === undefined; round++) taken = await refused(t, agent, `refused-${round}`)
  if (taken === undefined) throw new Error('the agent refuses by itself')
  const { app: { consul: { registration: { error, id } } }, lines } = taken
  t.match(error, {
    code: 'FST_CONSUL_NOT_SYNCED', message: /The agent took refused-\d, but the catalog .*: .*service:write/
  })
  const told = 'The agent took the registration, but the catalog does not show it'
  t.match(lines.filter(({ message }) => message === told), [{ level: 'warn', details: { id, err: error } }])
  t.ok(await agentService(agent, id!), 'the agent has it')
})

/** An app whose rights are taken away when the agent has just seen them; `undefined` if it saw that too. */
async function refused (t: Test, agent: ConsulAgent, name: string): Promise<TestApp | undefined> {
  const nodes = 'node_prefix "" { policy = "read" }'
  await setPolicy(consul, name, `service "${name}" { policy = "write" } ${nodes}`)
  const { token } = await issueToken(consul, name)
  const api = consulApi(agent.url, token)
  await until(async () => (await api('PUT', '/v1/agent/service/register', { Name: name })).status === 200)
  await api('PUT', `/v1/agent/service/deregister/${name}`)
  await setPolicy(consul, name, `service "${name}" { policy = "read" } ${nodes}`)
  const { app, lines } = await listeningApp(t, { url: agent.url, token, service: { name, id: name } })
  const state = await until(() => {
    const { state, error } = app.consul.registration
    return (state === 'unconfirmed' || error !== undefined) && state
  }, { timeout: 15_000 })
  return state === 'unconfirmed' ? { app, lines } : undefined
}

t.test('without a leader to ask the error is the leader\'s', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const blocked = (url: string): boolean => url.startsWith('/v1/health/service/leaderless')
  proxy.answer = ({ url }) => blocked(url) ? { status: 500, body: 'No cluster leader' } : undefined
  const { app } = await listeningApp(t, {
    url: proxy.url, token: consul.token, service: { name: 'leaderless' }, discovery: { wait: '1s' }
  })
  await until(() => app.consul.registration.state === 'unconfirmed', { timeout: 15_000 })
  t.match(app.consul.registration.error, { code: 'FST_CONSUL_API_STATUS', message: /No cluster leader/ })
  proxy.answer = () => undefined
  await until(() => app.consul.registration.state === 'registered', { timeout: 15_000 })
})

import t from 'tap'
import { listeningApp, messages } from './lifecycle/app.ts'
import { agentService } from './lifecycle/catalog.ts'
import { issueToken, setPolicy } from './lifecycle/acl.ts'
import { startConsul } from './support/consul.ts'
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

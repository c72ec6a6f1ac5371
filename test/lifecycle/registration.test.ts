import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { until } from '../support/wait.ts'
import { listeningApp, messages } from './app.ts'
import { agentService, entriesOf, registered } from './catalog.ts'

const consul = await startConsul(t)
const { url } = consul

t.test('a registration is never at the agent without a check', async t => {
  const proxy = await startCountingProxy(t, url)
  await consul.api('PUT', '/v1/agent/service/register', {
    ID: 'again', Name: 'again', Check: { CheckID: 'service:again:a', Name: 'old', TTL: '10m' }
  })
  await listeningApp(t, { url: proxy.url, service: { name: 'again', id: 'again' } })
  await registered(consul, 'again', 'passing')
  t.same(proxy.requests.filter(({ method }) => method === 'PUT').map(({ url }) => url.split('?')[0]), [
    '/v1/agent/service/register', '/v1/agent/check/deregister/service%3Aagain%3Aa'
  ])
})

t.test('while nothing changes nothing is written, and nothing asked again', async t => {
  const proxy = await startCountingProxy(t, url)
  const { app } = await listeningApp(t, { url: proxy.url, service: { name: 'calm' } })
  await until(() => app.consul.registration.state === 'registered')
  await until(() => proxy.requests.some(({ url }) => url.includes('hash=')))
  const before = proxy.count()
  for (let round = 0; round < 3; round++) { // Other services come and go.
    await consul.api('PUT', '/v1/agent/service/register', { Name: `noise-${round}` })
    await consul.api('PUT', `/v1/agent/service/deregister/noise-${round}`)
  }
  await app.consul.client.leader()
  t.equal(proxy.count() - before, 1)
})

t.test('taken away again and again, it comes back three times at once and then every ten seconds', async t => {
  const { app, lines } = await listeningApp(t, { url, service: { name: 'fought', id: 'fought' } })
  await until(() => app.consul.registration.state === 'registered')
  const lost = (): number => messages(lines).filter(line => line.startsWith('The registration was lost')).length
  const started = performance.now()
  for (let round = 1; round <= 4; round++) {
    await consul.api('PUT', '/v1/agent/service/deregister/fought')
    await until(async () => lost() === round && await agentService(consul, 'fought'), { timeout: 20_000 })
    await until(() => app.consul.registration.state === 'registered', { timeout: 20_000 })
    if (round < 4) t.ok(performance.now() - started < 9000, `at once: ${round}`)
  }
  t.ok(performance.now() - started >= 9000, 'the fourth time is not')
})

t.test('the status tells since when, and is frozen', async t => {
  const { app } = await listeningApp(t, { url, service: { name: 'dated' } })
  const before = app.consul.registration
  t.equal(before.state, 'registering')
  await until(() => app.consul.registration.state === 'registered')
  const after = app.consul.registration
  t.ok(after.since >= before.since)
  t.ok(Object.isFrozen(after))
  t.equal(app.consul.registration, after)
  await app.close()
  t.same(await entriesOf(consul, 'dated'), [])
})

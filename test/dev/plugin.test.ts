import t from 'tap'
import { startDevAgent } from '../../lib/dev/index.ts'
import { listeningApp } from '../lifecycle/app.ts'
import { consulApi, type ConsulApi } from '../support/consul-api.ts'
import { until } from '../support/wait.ts'

t.test('a service lives its whole life on the development agent', async t => {
  const agent = await startDevAgent({ port: 0 })
  t.teardown(() => agent.close())
  const { url } = agent
  const api = consulApi(url)
  const provider = await listeningApp(t, { url, service: { name: 'provider', id: 'p' }, check: { interval: '1s' } })
  const { app } = await listeningApp(t, { url, service: { name: 'consumer' } })
  const reasons = (): unknown => app.consul.explain('provider').instances.map(({ reason }) => reason)

  await until(() => provider.app.consul.registration.state === 'registered')
  const [instance] = await app.discover('provider')
  t.match(instance, { id: 'p', port: provider.port, status: 'passing' })
  t.equal(await (await app.fetch('http://provider/')).text(), 'hello')
  await until(async () => {
    const { json } = await api<Record<string, { Output: string }>>('GET', '/v1/agent/checks')
    return json['service:p:a']?.Output.includes('/health/ready: 200 OK')
  }, { what: 'the agent\'s own check to run' })
  t.same(Object.keys(await app.consul.listServices()).sort(), ['consumer', 'provider'])

  await api('PUT', '/v1/agent/service/maintenance/p?enable=true&reason=new%20disk')
  await until(async () => (await app.discover('provider')).length === 0)
  t.match(reasons(), [/maintenance/])
  await api('PUT', '/v1/agent/service/maintenance/p?enable=false')
  await until(async () => (await app.discover('provider')).length === 1)

  await api('PUT', '/v1/agent/service/deregister/p')
  await isBack(api, 'p')
  await until(() => provider.app.consul.registration.state === 'registered')

  await provider.app.close()
  t.equal((await api('GET', '/v1/agent/service/p')).status, 404)
  await until(async () => (await app.discover('provider')).length === 0)
})

t.test('an agent that was started again empty gets its services back', async t => {
  const first = await startDevAgent({ port: 0 })
  const { url, port } = first
  const { app } = await listeningApp(t, { url, service: { name: 'kept', id: 'k' } })
  await until(() => app.consul.registration.state === 'registered')
  t.equal((await app.discover('kept')).length, 1)
  await first.close()
  const second = await startDevAgent({ port })
  t.teardown(() => second.close())
  const api = consulApi(url)
  await isBack(api, 'k')
  t.equal((await app.discover('kept')).length, 1)
})

async function isBack (api: ConsulApi, id: string): Promise<void> {
  await until(async () => (await api('GET', `/v1/agent/service/${id}`)).status === 200, { what: `${id} to come back` })
}

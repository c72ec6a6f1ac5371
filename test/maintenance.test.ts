import t, { type Test } from 'tap'
import { listeningApp, messages, type TestApp } from './lifecycle/app.ts'
import { checksOf, registered } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { startCountingProxy } from './support/counting-proxy.ts'
import { until } from './support/wait.ts'

const consul = await startConsul(t)
const { url, api } = consul
const lost = 'The registration was lost and is written again'

/** An app whose service an operator has put into maintenance. */
async function maintained (t: Test, name: string, type: 'http' | 'ttl'): Promise<TestApp> {
  const { app, lines } = await listeningApp(t, { url, service: { name, id: name }, check: { type, interval: '1s' } })
  await registered(consul, name, 'passing')
  await until(() => app.consul.registration.state === 'registered')
  await api('PUT', `/v1/agent/service/maintenance/${name}?enable=true&reason=new%20disk`)
  await until(() => app.consul.explain(name).instances[0]?.reason.includes('maintenance'))
  return { app, lines }
}

/** Every state in which the catalog listed the service without its maintenance and without a critical check. */
async function callableMoments (t: Test, name: string): Promise<string[]> {
  const seen: string[] = []
  const { app } = await listeningApp(t, { url, service: false })
  const ended = new AbortController()
  t.teardown(() => ended.abort())
  const look = async (): Promise<void> => {
    for (let index = '1'; !ended.signal.aborted;) {
      const { value, index: next } = await app.consul.client.health(name, { index, wait: '10s', signal: ended.signal })
      index = next ?? '1'
      const checks = value.flatMap(({ Checks }) => Checks).filter(({ ServiceID }) => ServiceID === name)
      if (value.length > 0 && checks.every(({ Status }) => Status !== 'critical')) {
        seen.push(checks.map(({ CheckID }) => CheckID).join())
      }
    }
  }
  look().catch(() => {})
  return seen
}

const maintenanceOf = async (name: string): Promise<string | undefined> =>
  (await checksOf(consul, name)).find(({ CheckID }) => CheckID === `_service_maintenance:${name}`)?.Notes

const faults: Record<string, (name: string) => Promise<unknown>> = {
  'deregistered at the agent': name => api('PUT', `/v1/agent/service/deregister/${name}`),
  'deregistered in the catalog only': async name => {
    const { json } = await api<{ Config: { NodeName: string } }>('GET', '/v1/agent/self')
    return api('PUT', '/v1/catalog/deregister', { Node: json.Config.NodeName, ServiceID: name })
  },
  'its check removed': name => api('PUT', `/v1/agent/check/deregister/service:${name}:a`),
  'registered over': name => api('PUT', '/v1/agent/service/register', { ID: name, Name: name, Port: 1 })
}

for (const type of ['http', 'ttl'] as const) {
  for (const [fault, make] of Object.entries(faults)) {
    t.test(`in maintenance and ${fault}, a service with a ${type} check comes back in maintenance`, async t => {
      const name = `${type}-${Object.keys(faults).indexOf(fault)}`
      const { app, lines } = await maintained(t, name, type)
      const moments = await callableMoments(t, name)
      await make(name)
      await until(() => messages(lines).includes(lost))
      await until(() => app.consul.registration.state === 'registered')
      // Its own check passes again, and that is not enough.
      await until(async () => (await checksOf(consul, name)).some(
        ({ CheckID, Status }) => CheckID.startsWith('service:') && Status === 'passing'), { timeout: 15_000 })
      t.equal(await maintenanceOf(name), 'new disk')
      t.same(moments, [], 'at no moment could it be called')
      await api('PUT', `/v1/agent/service/maintenance/${name}?enable=false`)
      await registered(consul, name, 'passing')
      t.equal(await maintenanceOf(name), undefined)
    })
  }
}

t.test('maintenance alone is no reason to write anything', async t => {
  const proxy = await startCountingProxy(t, url)
  const { app } = await listeningApp(t, { url: proxy.url, service: { name: 'calm', id: 'calm' } })
  await until(() => app.consul.registration.state === 'registered')
  const writes = (): number => proxy.requests.filter(({ method }) => method === 'PUT').length
  const before = writes()
  await api('PUT', '/v1/agent/service/maintenance/calm?enable=true&reason=x')
  await until(() => app.consul.explain('calm').instances[0]?.reason.includes('maintenance'))
  await api('PUT', '/v1/agent/service/maintenance/calm?enable=false')
  await until(() => app.consul.explain('calm').instances[0]?.callable)
  t.equal(writes(), before)
  t.equal(app.consul.registration.state, 'registered')
})

t.test('a maintenance comes back with the service, in one write: no check of it can pass in between', async t => {
  const proxy = await startCountingProxy(t, url)
  const { app, lines } = await listeningApp(t, { url: proxy.url, service: { name: 'atonce', id: 'atonce' } })
  await until(() => app.consul.registration.state === 'registered')
  await api('PUT', '/v1/agent/service/maintenance/atonce?enable=true&reason=new%20disk')
  await until(() => app.consul.explain('atonce').instances[0]?.reason.includes('maintenance'))
  const writes = (): string[] => proxy.requests.flatMap(({ method, url }) => method === 'PUT' ? url.split('?')[0]! : [])
  const before = writes().length
  await api('PUT', '/v1/agent/service/deregister/atonce')
  await until(() => messages(lines).includes(lost))
  await until(() => app.consul.registration.state === 'registered')
  t.equal(await maintenanceOf('atonce'), 'new disk')
  t.same(writes().slice(before), ['/v1/agent/service/register'])
})

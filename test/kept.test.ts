import t, { type Test } from 'tap'
import type { WireHealthEntry } from '../lib/consul/wire.ts'
import type { ConsulOptions } from '../lib/options/types.ts'
import { listeningApp, messages, type TestApp } from './lifecycle/app.ts'
import { agentService, checksOf, entriesOf, registered } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { startCountingProxy, type CountingProxy } from './support/counting-proxy.ts'
import { until } from './support/wait.ts'

const consul = await startConsul(t)
const { url, api } = consul
const lost = 'The registration was lost and is written again'
const types = ['http', 'tcp', 'grpc', 'ttl'] as const

interface Kept extends TestApp {
  id: string
  /** What the catalog listed before the fault. */
  before: WireHealthEntry
  /** Its writes are counted. */
  proxy: CountingProxy
}

/** A service that Consul knows. Its check would find nothing out for an hour. */
async function kept (t: Test, name: string, options: ConsulOptions = {}): Promise<Kept> {
  const proxy = await startCountingProxy(t, url)
  const { check, service, ...rest } = options
  const { app, lines } = await listeningApp(t, {
    url: proxy.url, ...rest, service: { name, id: name, ...service }, check: { interval: '1h', ...check }
  })
  await until(() => app.consul.registration.state === 'registered')
  const before = await registered(consul, name, 'passing')
  return { app, lines, id: name, before, proxy }
}

const writesOf = ({ requests }: CountingProxy): string[] =>
  requests.filter(({ method, url }) => method === 'PUT' && !url.includes('/check/update/')).map(({ url }) => url)

/** Waits until the service is there again as it was, and tells how long that took. */
async function isBack ({ app, id, before }: Kept): Promise<number> {
  const since = performance.now()
  await until(async () => {
    const [entry] = await entriesOf(consul, id)
    const isWhole = entry?.Checks.some(({ CheckID }) => CheckID.startsWith(`service:${id}:`))
    const isSame = entry !== undefined && JSON.stringify(facts(entry)) === JSON.stringify(facts(before))
    return app.consul.registration.state === 'registered' && isWhole && isSame
  }, { what: `${id} as it was` })
  return performance.now() - since
}

function facts ({ Service: { Service, Address, Port, Tags, Meta, Weights } }: WireHealthEntry): unknown {
  return { Service, Address, Port, Tags, Meta, Weights }
}

async function nodeName (): Promise<string> {
  return (await api<{ Config: { NodeName: string } }>('GET', '/v1/agent/self')).json.Config.NodeName
}

const faults: Record<string, (id: string) => Promise<unknown>> = {
  'deregistered at the agent': id => api('PUT', `/v1/agent/service/deregister/${id}`),
  'deregistered in the catalog only': async id =>
    api('PUT', '/v1/catalog/deregister', { Node: await nodeName(), ServiceID: id }),
  'its check removed at the agent': id => api('PUT', `/v1/agent/check/deregister/service:${id}:a`),
  'its check removed in the catalog only': async id =>
    api('PUT', '/v1/catalog/deregister', { Node: await nodeName(), CheckID: `service:${id}:a` }),
  'registered over by someone else': id => api('PUT', '/v1/agent/service/register', {
    ID: id, Name: id, Address: '192.0.2.1', Port: 1, Tags: ['theirs'], Meta: { their: 'own' }
  })
}

for (const type of types) {
  for (const [fault, make] of Object.entries(faults)) {
    t.test(`a service with a ${type} check, ${fault}, is back by one correction and one line`, async t => {
      const name = `${type}-${Object.keys(faults).indexOf(fault)}`
      const service = await kept(t, name, { check: { type } })
      const written = writesOf(service.proxy).length
      await make(name)
      await until(() => messages(service.lines).includes(lost))
      const took = await isBack(service)
      t.comment(`${Math.round(took)} ms`)
      const [{ CheckID: checkId } = { CheckID: '' }, ...more] = await checksOf(consul, name)
      t.same(more, [])
      // Newer agents take what is written to them as it was for known to the catalog.
      if (fault.includes('catalog only')) t.equal(checkId, `service:${name}:b`)
      t.same(messages(service.lines).filter(line => line === lost), [lost])
      t.ok(writesOf(service.proxy).length - written <= 2, 'one registration, and the other check is dropped')
    })
  }
}

t.test('what comes back is back within a second', async t => {
  const service = await kept(t, 'quick')
  let best = Infinity
  for (let round = 0; round < 3 && best > 1000; round++) {
    const since = performance.now()
    await api('PUT', '/v1/catalog/deregister', { Node: await nodeName(), ServiceID: 'quick' })
    await until(() => messages(service.lines).filter(line => line === lost).length > round)
    await isBack(service)
    best = Math.min(best, performance.now() - since)
  }
  t.comment(`${Math.round(best)} ms`)
  t.ok(best < 1000)
})

const edits: Record<string, object> = {
  tags: { Tags: ['edited'] },
  meta: { Meta: { edited: 'yes' } },
  port: { Port: 1 },
  address: { Address: '192.0.2.1' },
  weights: { Weights: { Passing: 7, Warning: 1 } },
  enableTagOverride: { EnableTagOverride: true }
}

for (const [part, edit] of Object.entries(edits)) {
  t.test(`${part} edited from outside are put right`, async t => {
    const name = `edited-${part.toLowerCase()}`
    const service = await kept(t, name, { service: { tags: ['a', 'b'], meta: { k: 'v' } } })
    const { Service: { Address, Port, Tags, Meta } } = service.before
    await api('PUT', '/v1/agent/service/register', { ID: name, Name: name, Address, Port, Tags, Meta, ...edit })
    const line = await until(() => service.lines.find(({ message }) => message === lost))
    t.match(line, { level: 'warn', details: { id: name, reason: `someone else changed it: ${part}` } })
    await isBack(service)
    t.match(await agentService(consul, name), { Address, Port, Tags, Meta, EnableTagOverride: false })
  })
}

t.test('tags that others may change are theirs, and survive a correction', async t => {
  const service = await kept(t, 'tagged', { service: { tags: ['ours'], enableTagOverride: true } })
  const { Service: { Address, Port } } = service.before
  const edited = { ID: 'tagged', Name: 'tagged', Address, Port, Tags: ['theirs'], EnableTagOverride: true }
  await api('PUT', '/v1/agent/service/register', edited)
  const { client } = service.app.consul
  await until(async () => (await client.health('tagged')).value[0]?.Service.Tags?.includes('theirs'))
  await until(async () => (await service.app.consul.discover('tagged'))[0]?.tags.includes('theirs'))
  t.notOk(messages(service.lines).includes(lost))
  await api('PUT', '/v1/agent/service/deregister/tagged')
  await until(() => messages(service.lines).includes(lost))
  const { Service: { Tags } } = await registered(consul, 'tagged', 'passing')
  t.same(Tags, ['theirs'])
})

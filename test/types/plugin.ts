// Compiled by `npm run typecheck`, never run: what importing the package gives to a program's types.
import { subscribe } from 'node:diagnostics_channel'
import Fastify from 'fastify'
import consul, {
  ConsulClient, createServiceRegistry, databaseCheck, registerWithConsul, setupHealthChecks,
  type Answer, type AttemptMessage, type CallRequest, type CallRequestOptions, type ConsulOptions,
  type EjectionMessage, type EndMessage, type Fetch, type FetchInit, type Logger, type MountOptions,
  type PickMessage, type PickOptions, type RetryMessage, type ReturnMessage, type ServiceInstance,
  type ServiceRegistry, type WireHealthEntry
} from 'fastify-consul'

const app = Fastify()

await app.register(consul)
await app.register(consul, { url: 'http://127.0.0.1:8500', service: { name: 'a', port: 0 }, prefix: '/api' })
app.register(import('fastify-consul'), { mode: 'static', fallback: { b: 'http://127.0.0.1:1' } })

// @ts-expect-error an unknown option
await app.register(consul, { serviceName: 'a' })
// @ts-expect-error an option of the wrong type
await app.register(consul, { service: { name: 1 } })
// @ts-expect-error an unknown mode
await app.register(consul, { mode: 'auto' })
// @ts-expect-error an unknown strategy
await app.register(consul, { balancer: { strategy: 'fastest' } })

app.get('/', async () => {
  const instances: readonly ServiceInstance[] = await app.discover('b', { tag: 'v1', passingOnly: true })
  // @ts-expect-error the list is shared by everyone who asks
  instances.push(instances[0]!)
  // @ts-expect-error an unknown part of a query
  await app.discover('b', { tagg: 'v1' })
  const status: 'passing' | 'warning' = instances[0]!.status
  const response = await app.fetch('http://b/', { method: 'POST', body: '{}', balance: { key: 'user-1' } })
  // @ts-expect-error an unknown balance option
  await app.fetch('http://b/', { balance: { strategi: 'random' } })
  const { statusCode, body } = await app.consul.request('http://b/', { body: new URLSearchParams({ a: 'b' }) })
  // @ts-expect-error no response would ever come
  await app.consul.request('http://b/', { upgrade: 'websocket' })
  const url: string | null = await app.consul.getServiceUrl('b', { strategy: 'first' })
  return { status, url, statusCode, first: await response.json(), second: await body.json() }
})

// What a program wraps has a name.
const call: Fetch = app.fetch
const init: FetchInit = { balance: { tag: 'v1' } }
const request: CallRequest = app.consul.request
const requestOptions: CallRequestOptions = { method: 'POST', body: '{}', balance: { deadline: '5s' } }
const pick: PickOptions = { strategy: 'random', tag: 'v1' }
const answers = [call('http://b/', init), request('http://b/', requestOptions), app.consul.getServiceUrl('b', pick)]
const logger: Logger = app.log
const mounted: ConsulOptions & MountOptions = { prefix: '/api', logger }
await app.register(consul, mounted)

const counts = { tried: 0, attempts: 0, sent: 0, out: 0, failed: 0 }
const ejected = new Set<string>()
subscribe('fastify-consul:pick', message => { counts.tried += (message as PickMessage).tried })
subscribe('fastify-consul:attempt', message => {
  const { outcome, broken }: AttemptMessage = message as AttemptMessage
  if (!broken && outcome !== 'neutral') counts.attempts++
})
subscribe('fastify-consul:retry', message => { counts.sent += Number((message as RetryMessage).sent) })
subscribe('fastify-consul:ejection', message => { ejected.add((message as EjectionMessage).instance.id) })
subscribe('fastify-consul:return', message => {
  const { instance, left } = message as ReturnMessage
  if (ejected.delete(instance.id) && !left) counts.out++
})

subscribe('fastify-consul:end', message => {
  const { error, aborted }: EndMessage = message as EndMessage
  if (error !== undefined && !aborted) counts.failed++
})

const registry: ServiceRegistry = app.consul
registry.health.add({ name: 'disk', critical: false, run: async signal => { signal.throwIfAborted() } })
registry.health.add(databaseCheck({ query: async (sql: string) => sql }))
setupHealthChecks(app, { db: { query: async () => {} } })
// @ts-expect-error only the registry itself changes where it stands
registry.registration.state = 'registered'

const options: ConsulOptions = {
  balancer: { strategy: (instances, { key }) => key === undefined ? undefined : instances[0] }
}
await using alone = createServiceRegistry('worker', 9000, options)
const id: string | undefined = await alone.register()

const client = new ConsulClient({ url: 'http://127.0.0.1:8500', token: async () => 'secret' })
const registered: string = await client.registerService({ name: 'a', check: { ttl: '10s' } })
const entries: Answer<WireHealthEntry[]> = await client.health('a')
// @ts-expect-error a check has no such field
await client.registerService({ name: 'a', check: { every: '10s' } })
await registerWithConsul({ name: 'a', port: 1, tags: ['x'], check: false })
// @ts-expect-error a port is needed
await registerWithConsul({ name: 'a' })

export { answers, entries, id, registered }

import { EventEmitter } from 'node:events'
import { hostname } from 'node:os'
import t from 'tap'
import { systemClock } from '../lib/clock.ts'
import { resolveOptions } from '../lib/options/resolve.ts'
import { ServiceRegistry } from '../lib/registry.ts'
import { collectingLogger } from './health/collecting-logger.ts'
import { listeningApp, messages } from './lifecycle/app.ts'
import { agentService, entriesOf, onlyCheckOf, registered } from './lifecycle/catalog.ts'
import { testRegistry } from './lifecycle/registry.ts'
import { createConsul, startConsul } from './support/consul.ts'
import { startCountingProxy } from './support/counting-proxy.ts'
import { once, until } from './support/wait.ts'

const consul = await startConsul(t)
const { url } = consul

t.test('register() puts the service into the catalog, passing; close() takes it out', async t => {
  const { registry, lines } = testRegistry(t, 'worker', 9000, { url })
  t.match(registry.registration, { state: 'none', id: undefined, error: undefined })
  const id = `worker-${hostname()}-9000`
  t.equal(await registry.register(), id)
  await until(() => registry.registration.state === 'registered')
  t.ok(registry.registration.since instanceof Date)
  const { Service: service } = await registered(consul, 'worker', 'passing')
  t.match(service, { ID: id, Port: 9000, Address: '' })
  t.match(await registry.discover('worker'), [{ id, address: '127.0.0.1', port: 9000 }])
  t.equal(await registry.register(), id, 'the second time it is there already')
  await registry.close()
  await registry.close()
  t.same(await entriesOf(consul, 'worker'), [])
  t.match(registry.registration, { state: 'stopped', id })
  t.same(messages(lines).filter(line => line.startsWith('Registered')).length, 1)
  await t.rejects(registry.register(), { code: 'FST_CONSUL_CLOSED', message: /register\(\)/ })
  await t.rejects(registry.discover('worker'), { code: 'FST_CONSUL_CLOSED' })
})

t.test('deregister() takes it out; register() puts it in again, whatever the order and the pace', async t => {
  const { registry } = testRegistry(t, 'comes-and-goes', 9001, { url })
  await registry.deregister()
  t.equal(registry.registration.state, 'none')
  for (let round = 0; round < 2; round++) {
    await registry.register()
    await registered(consul, 'comes-and-goes', 'passing')
    await registry.deregister()
    t.same(await entriesOf(consul, 'comes-and-goes'), [])
    t.equal(registry.registration.state, 'stopped')
  }
  t.notOk(registry.signal.aborted, 'it does not leave for good')
  await Promise.all([registry.register(), registry.deregister()])
  t.same(await entriesOf(consul, 'comes-and-goes'), [])
  await registry.register()
  await Promise.all([registry.deregister(), registry.register()])
  await registered(consul, 'comes-and-goes', 'passing')
})

t.test('drain() takes it out, aborts the signal and waits; close() follows at once', async t => {
  const { registry } = testRegistry(t, 'drainer', 9002, { url, drain: { delay: 300 } })
  await registry.register()
  await registered(consul, 'drainer', 'passing')
  const started = performance.now()
  const drained = registry.drain()
  t.ok(registry.signal.aborted)
  t.equal(registry.registration.state, 'draining')
  await drained
  t.ok(performance.now() - started >= 290)
  t.same(await entriesOf(consul, 'drainer'), [])
  t.match(await registry.discover('drainer'), [], 'calls go on until close()')
  await registry.close()
})

t.test('a call that runs at close() may end, however long ago the service was drained by hand', async t => {
  const handler = new EventEmitter()
  const { url: own } = await listeningApp(t, {
    url,
    service: false,
    routes (app) {
      app.get('/slow', async () => {
        handler.emit('begun')
        await once(handler, 'end')
        return 'slow'
      })
    }
  })
  let later = 0
  const clock = { ...systemClock, now: () => systemClock.now() + later }
  const options = { mode: 'static', fallback: { slow: own }, drain: { timeout: '20s' } } as const
  const registry = new ServiceRegistry(resolveOptions(options), { logger: collectingLogger().logger, clock })
  t.teardown(() => registry.close())
  await registry.drain()
  later = 3_600_000
  const begun = once(handler, 'begun')
  const response = registry.fetch('http://slow/slow')
  await begun
  const closed = registry.close()
  setImmediate(() => handler.emit('end'))
  t.equal(await (await response).text(), 'slow')
  await closed
})

t.test('whoever drains or closes because the signal aborts gets the same drain', async t => {
  const { registry } = testRegistry(t, 'reentrant', 9011, { mode: 'static' })
  let within: Promise<void> | undefined
  registry.signal.addEventListener('abort', () => { within = registry.drain() })
  t.equal(registry.drain(), within)
})

t.test('what `await using` calls closes it', async t => {
  const { registry } = testRegistry(t, 'scoped', 9003, { url })
  await registry.register()
  await registered(consul, 'scoped', 'passing')
  await registry[Symbol.asyncDispose]()
  t.same(await entriesOf(consul, 'scoped'), [])
})

t.test('maintenance takes it out of discovery and back in', async t => {
  const { registry, lines } = testRegistry(t, 'repaired', 9004, { url })
  await registry.maintenance(true)
  t.same(lines.map(({ message }) => message), ['No maintenance: nothing is registered'])
  await registry.register()
  await until(async () => (await registry.discover('repaired')).length === 1)
  await registry.maintenance(true, 'new disk')
  await until(async () => (await registry.discover('repaired')).length === 0)
  t.match(registry.explain('repaired').instances, [{ callable: false, reason: /in maintenance \(.*new disk/ }])
  await registry.maintenance(false)
  await until(async () => (await registry.discover('repaired')).length === 1)
  await registry.deregister()
  await registry.maintenance(true)
  t.equal(lines.at(-1)?.message, 'No maintenance: nothing is registered')
})

t.test('with Consul down register() resolves, and it goes on in the background', async t => {
  const late = await createConsul(t)
  const { registry } = testRegistry(t, 'early', 9005, { url: late.url })
  t.equal(await registry.register(), `early-${hostname()}-9005`)
  t.match(registry.registration, { state: 'registering', error: { code: 'FST_CONSUL_API_UNREACHABLE' } })
  await late.start()
  await registered(late, 'early', 'passing')
  await until(() => registry.registration.state === 'registered')
})

t.test('with Consul down in mode full register() rejects and nothing goes on; it may be called again', async t => {
  const late = await createConsul(t)
  const { registry } = testRegistry(t, 'strict', 9006, { url: late.url, mode: 'full', timeout: '2s' })
  await t.rejects(registry.register(), { code: 'FST_CONSUL_UNAVAILABLE', message: /CONSUL_URL/ })
  t.equal(registry.registration.state, 'none')
  await late.start()
  await registry.register()
  await registered(late, 'strict', 'passing')
})

t.test('in mode full a registration that Consul refuses rejects and is not tried again', async t => {
  const proxy = await startCountingProxy(t, url)
  proxy.answer = ({ method }) => method === 'PUT' ? { status: 403, body: 'Permission denied' } : undefined
  const { registry } = testRegistry(t, 'refused', 9007, { url: proxy.url, mode: 'full' })
  await t.rejects(registry.register(), {
    code: 'FST_CONSUL_UNAVAILABLE', message: /refused-.*-9007 was not registered.*Permission denied/
  })
  t.equal(registry.registration.state, 'stopped')
  proxy.answer = () => undefined
  await registry.register()
  await registered(consul, 'refused', 'passing')
})

t.test('preloaded services are watched from register() on', async t => {
  const proxy = await startCountingProxy(t, url)
  await listeningApp(t, { url, service: { name: 'needed' } })
  await registered(consul, 'needed', 'passing')
  const { registry } = testRegistry(t, 'reader', 9008, { url: proxy.url, discovery: { preload: ['needed'] } })
  t.equal(proxy.count(), 0, 'nothing happens before')
  await registry.register()
  await until(() => registry.explain('needed').instances.length === 1)
  t.match(registry.explain('needed'), { source: 'consul', watch: 'watched' })
})

t.test('the registry calls services as an app does', async t => {
  const { port } = await listeningApp(t, { url, service: { name: 'callee' } })
  await registered(consul, 'callee', 'passing')
  const { registry } = testRegistry(t, 'caller', 9009, { url })
  t.equal(await (await registry.fetch('http://callee/')).text(), 'hello')
  t.equal(await (await registry.request('http://callee/')).body.text(), 'hello')
  t.match(await registry.getServiceAddress('callee'), { address: '127.0.0.1', port })
  t.equal(await registry.getServiceUrl('callee'), `http://127.0.0.1:${port}`)
  t.equal(await registry.getServiceUrl('nobody'), null)
  t.match(await registry.listServices(), { callee: [], consul: [] })
  t.equal(await agentService(consul, 'caller'), undefined, 'without register() it is not registered')
})

t.test('one check, under one of two ids', async t => {
  const { registry } = testRegistry(t, 'single', 9010, { url, service: { id: 'single' } })
  await registry.register()
  await registered(consul, 'single', 'passing')
  t.match(await onlyCheckOf(consul, 'single'), { CheckID: 'service:single:a', Name: 'Readiness of single' })
})

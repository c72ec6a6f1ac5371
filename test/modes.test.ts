import { inspect } from 'node:util'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createServiceRegistry } from '../lib/index.ts'
import { listeningApp, messages, testApp } from './lifecycle/app.ts'
import { collectingLogger } from './health/collecting-logger.ts'
import { entriesOf, registered } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { startCountingProxy } from './support/counting-proxy.ts'
import { freePort } from './support/ports.ts'
import { until } from './support/wait.ts'

const consul = await startConsul(t)
const { url } = await listeningApp(t, { url: consul.url, service: { name: 'real' } })
await registered(consul, 'real', 'passing')
const fallback = { real: 'http://127.0.0.1:1', 'not-in-consul': url }
const nobody = `http://127.0.0.1:${await freePort()}`

/** The ports of the instances that discover() answers. */
async function portsOf (app: FastifyInstance, name: string): Promise<number[]> {
  return (await app.discover(name)).map(({ port }) => port)
}

t.test('full: without Consul the boot fails in time, and the error says what to do', async t => {
  const { app } = await testApp(t, {
    url: nobody, mode: 'full', service: { name: 'strict' }, timeout: '1h', fastify: { pluginTimeout: 1500 }
  })
  const error = await app.listen({ port: 0, host: '127.0.0.1' }).catch(error => error)
  t.match(error, {
    code: 'FST_CONSUL_UNAVAILABLE',
    statusCode: 503,
    message: /mode "full" .* 750 ms: .*ECONNREFUSED.*\. Start its agent, .* url option \(CONSUL_URL\), or .*"hybrid"/,
    cause: { code: 'FST_CONSUL_API_UNREACHABLE' }
  })
  t.equal(app.consul.registration.state, 'none')
})

t.test('full: a Consul without a leader fails the boot within timeout; with one it boots', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  let answers = -Infinity
  proxy.answer = ({ url }) => url === '/v1/status/leader' && ++answers < 5 ? { status: 200, body: '""' } : undefined
  const options = { url: proxy.url, mode: 'full', timeout: '2s' } as const
  const { app } = await testApp(t, options)
  await t.rejects(async () => { await app.ready() }, {
    code: 'FST_CONSUL_UNAVAILABLE', message: /within 2000 ms: it has no leader/
  })
  answers = 0
  const second = await testApp(t, { ...options, timeout: '5s' })
  await second.app.ready()
  t.equal(proxy.count('/v1/status/leader') >= 5, true)
})

t.test('full: a close() that overtakes the wait for Consul ends it', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  proxy.answer = () => ({ status: 200, body: '""' })
  const { app } = await testApp(t, { url: proxy.url, mode: 'full', timeout: '8s' })
  const started = performance.now()
  const ready = app.ready()
  await until(() => proxy.count() > 0)
  await app.consul.drain()
  await ready
  t.ok(performance.now() - started < 7000)
})

t.test('full: what Consul does not know is not there, whatever the fallback says', async t => {
  const { app } = await testApp(t, { url: consul.url, mode: 'full', fallback })
  await app.ready()
  t.same(await portsOf(app, 'real'), [Number(new URL(url).port)])
  t.same(await app.discover('not-in-consul'), [])
  await t.rejects(app.fetch('http://not-in-consul/'), { code: 'FST_CONSUL_NO_INSTANCE' })
})

t.test('hybrid: Consul first, the fallback for what is not registered, or while Consul never answered', async t => {
  const { app } = await testApp(t, { url: consul.url, mode: 'hybrid', fallback })
  await app.ready()
  t.same(await portsOf(app, 'real'), [Number(new URL(url).port)])
  t.same(await portsOf(app, 'not-in-consul'), [Number(new URL(url).port)])
  t.equal(await (await app.fetch('http://not-in-consul/')).text(), 'hello')
  const { app: alone } = await testApp(t, { url: nobody, mode: 'hybrid', fallback, timeout: 500 })
  t.same(await portsOf(alone, 'real'), [1])
  await t.rejects(alone.discover('unknown'), { code: 'FST_CONSUL_UNAVAILABLE' })
})

t.test('register: registers, and calls go to the fallback', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const { app } = await listeningApp(t, {
    url: proxy.url, mode: 'register', fallback, service: { name: 'migrating' }, discovery: { preload: ['real'] }
  })
  await registered(consul, 'migrating', 'passing')
  t.same(await portsOf(app, 'real'), [1])
  t.equal(await (await app.fetch('http://not-in-consul/')).text(), 'hello')
  t.same(await app.consul.listServices(), { real: [], 'not-in-consul': [] })
  t.equal(proxy.requests.some(({ url }) => url.includes('/catalog/')), false)
  await app.close()
  t.same(await entriesOf(consul, 'migrating'), [])
})

t.test('static: Consul is never contacted', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const options = {
    url: proxy.url, mode: 'static', fallback, drain: { delay: '20s', timeout: '30s' }, discovery: { preload: ['real'] }
  } as const
  const routes = (app: FastifyInstance) => { app.get('/call-unknown', () => app.fetch('http://unknown/')) }
  const { app } = await listeningApp(t, { ...options, routes, service: { name: 'laptop' } })
  t.same(await portsOf(app, 'real'), [1])
  t.same(await app.discover('unknown'), [])
  t.equal(await (await app.fetch('http://not-in-consul/')).text(), 'hello')
  t.equal(await app.consul.getServiceUrl('not-in-consul'), url)
  const reply = await app.inject('/call-unknown')
  t.match(reply, { statusCode: 503, headers: { 'x-consul-no-instance': '1' } }, 'a layer above need not retry that')
  t.same(Object.keys(await app.consul.listServices()), ['real', 'not-in-consul'])
  t.match(app.consul.explain('real'), { source: 'fallback' })
  await app.consul.maintenance(true)
  const started = performance.now()
  await app.close()
  const registry = createServiceRegistry('laptop', 1234, { ...options, logger: collectingLogger().logger })
  t.equal(await registry.register(), undefined)
  await registry.deregister()
  await registry.close()
  t.ok(performance.now() - started < 15_000, 'nothing to wait for')
  t.equal(proxy.count(), 0)
})

t.test('register: what Consul would have answered is compared with the fallback', async t => {
  const { app, lines } = await testApp(t, {
    url: consul.url, mode: 'register', fallback, discovery: { preload: ['real'] }
  })
  await app.ready()
  const difference = { onlyInFallback: ['http://127.0.0.1:1'], onlyInConsul: [url], mismatches: 1 }
  await until(() => app.consul.explain('real').compared !== undefined)
  t.same(app.consul.explain('real').compared, difference)
  t.match(String(app.consul.explain('real')), `only in Consul: ${url}`)
  await app.fetch('http://not-in-consul/')
  await until(() => app.consul.explain('not-in-consul').compared !== undefined)
  t.match(app.consul.explain('not-in-consul').compared, { onlyInFallback: [url], onlyInConsul: [] })
  t.equal(messages(lines, 'warn').filter(line => line === 'Consul lists other instances than fallback').length, 2)
})

t.test('register: why Consul cannot be compared is said, once, and no error of a call', async t => {
  const { app, lines } = await testApp(t, {
    url: consul.url, mode: 'register', fallback, service: false, datacenter: 'mistyped', token: 'not-to-be-seen'
  })
  await app.ready()
  t.same(await portsOf(app, 'real'), [1])
  const { error } = await until(() => app.consul.explain('real').notCompared)
  t.match(error, /500: No path to datacenter/)
  t.match(String(app.consul.explain('real')), /\n {2}not compared with fallback for \d\.\d s: .*No path to datacenter/)
  t.equal(app.consul.explain('real').compared, undefined)
  t.equal(messages(lines, 'warn').filter(line => line === 'Consul cannot be compared with fallback').length, 1)
  t.notMatch(`${error} ${inspect(lines, { depth: 9 })}`, 'not-to-be-seen')
})

import { EventEmitter } from 'node:events'
import t from 'tap'
import { listeningApp, messages, testApp } from './lifecycle/app.ts'
import { agentService, entriesOf, registered, serviceCount } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { startCountingProxy } from './support/counting-proxy.ts'
import { freePort } from './support/ports.ts'
import { startProxy } from './support/proxy.ts'
import { once, until } from './support/wait.ts'

const consul = await startConsul(t)
const { url } = consul

t.test('ready() and close() in one tick: nothing is asked of Consul', async t => {
  const proxy = await startCountingProxy(t, url)
  const port = await freePort()
  const { app } = await testApp(t, {
    url: proxy.url, service: { name: 'one-tick', port, registerOn: 'ready' }, discovery: { preload: ['other'] }
  })
  await Promise.allSettled([app.ready(), app.close()])
  t.equal(proxy.count(), 0)
  t.equal(app.consul.registration.state, 'none')
})

t.test('listen() and close() in one tick: nothing is registered, though the port may be bound afterwards', async t => {
  const proxy = await startCountingProxy(t, url)
  const { app } = await testApp(t, { url: proxy.url, service: { name: 'listen-close' } })
  t.teardown(() => app.server.close())
  await Promise.allSettled([app.listen({ port: 0, host: '127.0.0.1' }), app.close()])
  await until(() => app.server.listening)
  t.equal(proxy.count(), 0)
  t.equal(app.consul.registration.state, 'none')
})

t.test('a slow onReady of another plugin, overtaken by close(): nothing is registered, nothing watched', async t => {
  const proxy = await startCountingProxy(t, url)
  const other = new EventEmitter()
  const { app } = await testApp(t, {
    url: proxy.url,
    service: { name: 'slow-ready' },
    discovery: { preload: ['other'] },
    routes (app) {
      app.addHook('onReady', async () => {
        other.emit('begun')
        await once(other, 'end')
      })
    }
  })
  t.teardown(() => app.server.close())
  const begun = once(other, 'begun')
  const listening = app.listen({ port: 0, host: '127.0.0.1' })
  await begun
  const closed = app.close()
  other.emit('end')
  await Promise.allSettled([listening, closed])
  t.equal(app.consul.registration.state, 'none')
  const { requests } = proxy
  t.same(requests.filter(({ url }) => !url.startsWith('/v1/health/service/other')), [], 'but for the preloaded service')
  await t.rejects(app.discover('other'), { code: 'FST_CONSUL_CLOSED' })
})

t.test('close() in the same tick as the port is bound: nothing is registered', async t => {
  const { app } = await testApp(t, { url, service: { name: 'bound-close' } })
  let closed: Promise<unknown> | undefined
  app.server.once('listening', () => { closed = app.close() })
  await app.listen({ port: 0, host: '127.0.0.1' })
  await closed
  t.same(await entriesOf(consul, 'bound-close'), [])
})

t.test('a registration in flight at close lands first and is then taken back', async t => {
  const proxy = await startProxy(t, consul)
  const { app } = await testApp(t, {
    url: proxy.url, service: { name: 'in-flight', id: 'in-flight' }, drain: { delay: 0, timeout: '20s' }
  })
  proxy.latency(700) // On the way there, and on the way back.
  await app.listen({ port: 0, host: '127.0.0.1' })
  await until(() => agentService(consul, 'in-flight'))
  t.equal(app.consul.registration.state, 'registering', 'the agent has it, its answer is under way')
  await app.close()
  t.equal(await agentService(consul, 'in-flight'), undefined)
  t.equal(app.consul.registration.state, 'stopped')
})

t.test('a registration that the agent does not answer: its removal is sent all the same, and close() ends', async t => {
  const held = new EventEmitter()
  const proxy = await startCountingProxy(t, url)
  const { app, lines } = await testApp(t, {
    url: proxy.url, service: { name: 'held', id: 'held' }, drain: { delay: 100, timeout: 6000 }
  })
  proxy.answer = async ({ url }) => {
    if (url.startsWith('/v1/agent/service/register')) await once(held, 'end', 30_000)
    return undefined
  }
  await app.listen({ port: 0, host: '127.0.0.1' })
  await until(() => proxy.count('/v1/agent/service/register') === 1)
  const started = performance.now()
  await app.close()
  t.ok(performance.now() - started < 15_000)
  t.equal(proxy.count('/v1/agent/service/deregister/held'), 1)
  t.same(messages(lines, 'warn'), [])
  held.emit('end')
})

t.test('close() while Consul hears nothing ends within drain.timeout', async t => {
  const proxy = await startProxy(t, consul)
  const { app, lines } = await listeningApp(t, {
    url: proxy.url, service: { name: 'deaf', id: 'deaf' }, drain: { delay: 100, timeout: 1000 }
  })
  await until(() => app.consul.registration.state === 'registered')
  proxy.blackhole(true)
  const started = performance.now()
  await app.close()
  t.ok(performance.now() - started < 5000)
  t.same(messages(lines, 'warn'), ['The removal from Consul was not seen in time'])
  proxy.blackhole(false)
  await until(() => proxy.connections === 0)
})

t.test('close() twice, and both wait for the end', async t => {
  const { app } = await listeningApp(t, { url, service: { name: 'twice' } })
  await registered(consul, 'twice', 'passing')
  await Promise.all([app.close(), app.close()])
  t.same(await entriesOf(consul, 'twice'), [])
  await app.close()
  await app.consul.close()
})

t.test('an app that is only injected into asks nothing of Consul and closes at once', async t => {
  const proxy = await startCountingProxy(t, url)
  const { app } = await testApp(t, { url: proxy.url, service: { name: 'injected' }, drain: { delay: '20s' } })
  const before = await serviceCount(consul)
  t.equal((await app.inject('/')).body, 'hello')
  t.equal((await app.inject('/health/ready')).statusCode, 200)
  const started = performance.now()
  await app.close()
  t.ok(performance.now() - started < 15_000)
  t.equal(proxy.count(), 0)
  t.equal(await serviceCount(consul), before)
})

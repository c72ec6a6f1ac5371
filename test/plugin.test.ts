import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import t from 'tap'
import { fastifyConsul } from '../lib/index.ts'
import { listeningApp, messages, portOf, testApp } from './lifecycle/app.ts'
import { checkOutput, entriesOf, gone, onlyCheckOf, registered, serviceCount } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { freePort } from './support/ports.ts'
import { once, until } from './support/wait.ts'

const consul = await startConsul(t)
const { url } = consul

t.test('a listening app is in the catalog under the port that it is bound to, and leaves with close()', async t => {
  const { app, port } = await listeningApp(t, { url, service: { name: 'plain', tags: ['v1'], meta: { team: 'a' } } })
  const { Service: service } = await registered(consul, 'plain', 'passing')
  t.match(service, {
    ID: `plain-${hostname()}-${port}`, Address: '127.0.0.1', Port: port, Tags: ['v1'], Meta: { team: 'a' }
  })
  t.match(await onlyCheckOf(consul, 'plain'), { Name: 'Readiness of plain', Status: 'passing' })
  await until(() => app.consul.registration.state === 'registered')
  t.match(app.consul.registration, { id: service.ID, error: undefined })
  await app.close()
  t.same(await entriesOf(consul, 'plain'), [])
  t.equal(app.consul.registration.state, 'stopped')
})

t.test('Consul\'s own check passes on the registered path', async t => {
  const { url: own } = await listeningApp(t, { url, service: { name: 'checked' }, check: { interval: '1s' } })
  t.match(await checkOutput(consul, 'checked'), `HTTP GET ${own}/health/ready: 200 OK`)
})

t.test('two apps in one process are two instances', async t => {
  const apps = [
    await listeningApp(t, { url, service: { name: 'twin' } }), await listeningApp(t, { url, service: { name: 'twin' } })
  ]
  await until(async () => (await entriesOf(consul, 'twin')).length === 2)
  await apps[0]?.app.close()
  const left = await entriesOf(consul, 'twin')
  t.same(left.map(({ Service }) => Service.Port), [apps[1]?.port])
})

t.test('the two services find each other', async t => {
  await listeningApp(t, { url, service: { name: 'found' } })
  await registered(consul, 'found', 'passing')
  const { app } = await listeningApp(t, { url, service: { name: 'finder' } })
  t.match(await app.discover('found'), [{ name: 'found', status: 'passing' }])
  t.equal(await (await app.fetch('http://found/')).text(), 'hello')
})

t.test('in an encapsulated child with a prefix, the check goes to the prefixed route and close() drains', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async child => {
    await child.register(fastifyConsul, {
      url, service: { name: 'child' }, check: { interval: '1s' }, drain: { delay: '2s' }
    })
    child.get('/', async () => child.consul.registration)
  }, { prefix: '/v1' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const port = portOf(app)
  t.match(await checkOutput(consul, 'child'), `HTTP GET http://127.0.0.1:${port}/v1/health/ready: 200 OK`)
  const closing = app.close()
  await gone(consul, 'child')
  const response = await fetch(`http://127.0.0.1:${port}/v1/`)
  t.equal(response.status, 200)
  t.equal(response.headers.get('connection'), 'close')
  await closing
})

t.test('prefix stands before the health routes', async t => {
  const { url: own } = await listeningApp(t, {
    url, prefix: '/internal', service: { name: 'prefixed' }, check: { interval: '1s' }
  })
  t.match(await checkOutput(consul, 'prefixed'), `HTTP GET ${own}/internal/health/ready: 200 OK`)
})

t.test('service.port goes before the bound one: for a service behind a port mapping', async t => {
  const service = { name: 'mapped', port: 8080, address: '127.0.0.9' }
  await listeningApp(t, { url, service, check: { interval: '1s' } })
  const { Service } = await registered(consul, 'mapped')
  t.match(Service, { ID: 'mapped-127.0.0.9-8080', Address: '127.0.0.9', Port: 8080 })
  t.match(await checkOutput(consul, 'mapped'), 'http://127.0.0.9:8080/health/ready')
})

t.test('bound to a unix socket, nothing is registered and one line says so', async t => {
  const { app, lines } = await testApp(t, { url, service: { name: 'socket' } })
  const before = await serviceCount(consul)
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-')) // A socket's path may have 107 characters.
  t.teardown(() => rm(folder, { recursive: true }))
  await app.listen({ path: join(folder, 'app.sock') })
  t.same(messages(lines), ['Bound to a unix socket, which nobody else could find: nothing is registered'])
  await app.close()
  t.equal(await serviceCount(consul), before)
  t.equal(app.consul.registration.state, 'none')
})

t.test('without a service name one line says that nothing is registered', async t => {
  const { app, lines } = await listeningApp(t, { url })
  t.same(messages(lines), ['No service name (SERVICE_NAME): nothing is registered'])
  t.equal(app.consul.registration.state, 'none')
})

t.test('service: false registers nothing and says nothing', async t => {
  const { app, lines } = await listeningApp(t, { url, service: false })
  t.same(lines, [])
  t.equal(app.consul.registration.state, 'none')
})

t.test('registerOn ready: an app that another server serves is registered with its port', async t => {
  const port = await freePort()
  const { app } = await testApp(t, {
    url, service: { name: 'served', port, registerOn: 'ready' }, check: { interval: '24h' }
  })
  await app.ready()
  await registered(consul, 'served', 'passing')
  const server = createServer(app.routing).listen(port, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const drained = app.consul.drain()
  const response = await fetch(`http://127.0.0.1:${port}/`)
  t.equal(response.headers.get('connection'), 'close', 'its replies close their connections in the drain')
  await drained
  t.same(await entriesOf(consul, 'served'), [])
})

t.test('a name that is no DNS label is registered, with one warning', async t => {
  const { app, lines } = await listeningApp(t, { url, service: { name: 'not_a label' } })
  await until(() => app.consul.registration.state === 'registered')
  t.same(lines.filter(({ level }) => level === 'warn'), [{
    level: 'warn',
    details: { service: 'not_a label' },
    message: 'The service name is no DNS label: Consul\'s DNS will not find it'
  }])
})

t.test('taken out by hand and registered again, an app is where it listens, with its ready route', async t => {
  const { app, port } = await listeningApp(t, {
    url, service: { name: 'returning', id: 'returning' }, check: { interval: '1s' }, prefix: '/p'
  })
  await registered(consul, 'returning', 'passing')
  await app.consul.deregister()
  await gone(consul, 'returning')
  t.equal(await app.consul.register(), 'returning')
  t.match(await registered(consul, 'returning', 'passing'), { Service: { Address: '127.0.0.1', Port: port } })
  t.match(await checkOutput(consul, 'returning'), `http://127.0.0.1:${port}/p/health/ready: 200`)
})

t.test('register() before an app listens registers nothing: it does so itself when it listens', async t => {
  const { app } = await testApp(t, { url, service: { name: 'unbound', id: 'unbound' } })
  await app.ready()
  t.equal(await app.consul.register(), undefined)
  t.equal(app.consul.registration.state, 'none')
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.match(await registered(consul, 'unbound', 'passing'), { Service: { Port: portOf(app) } })
})

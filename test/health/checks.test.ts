import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { MockAgent } from 'undici'
import type { CheckResult } from '../../lib/health/check.ts'
import { httpCheck, type HttpCheckSettings } from '../../lib/health/http-check.ts'
import { HealthCheckManager } from '../../lib/health/manager.ts'
import { type Discoverer, serviceCheck } from '../../lib/health/service-check.ts'
import { setupHealthChecks } from '../../lib/health/setup.ts'
import { freePort } from '../support/ports.ts'
import type { Teardown } from '../support/teardown.ts'
import { until } from '../support/wait.ts'

// lib/health/http-check.ts

interface Endpoint { server: Server, host: string, url: string }

async function startEndpoint (t: Teardown, listener: RequestListener): Promise<Endpoint> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  t.teardown(() => new Promise(resolve => {
    server.close(resolve)
    server.closeAllConnections()
  }))
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  const host = `127.0.0.1:${address.port}`
  return { server, host, url: `http://${host}/health` }
}

async function outcomeOf (url: string | URL, settings: HttpCheckSettings = {}): Promise<CheckResult | undefined> {
  const manager = new HealthCheckManager({ timeout: '20s' })
  manager.add(httpCheck(url, { name: 'a', ...settings }))
  return (await manager.check()).checks.a
}

t.test('every 2xx is healthy, everything else is not, or what is expected', async t => {
  let status = 200
  const { url } = await startEndpoint(t, (_request, response) => response.writeHead(status).end('body'))
  for (status of [200, 204, 299]) t.same(await outcomeOf(url), { status: 'healthy' }, String(status))
  for (status of [400, 404, 500, 503]) {
    t.same(await outcomeOf(new URL(url)), { status: 'unhealthy', message: `answered ${status}` })
  }
  status = 401
  t.same(await outcomeOf(url, { expect: 401 }), { status: 'healthy' })
  t.same(await outcomeOf(url, { expect: [200, 401] }), { status: 'healthy' })
  t.same(await outcomeOf(url, { expect: [200] }), { status: 'unhealthy', message: 'answered 401' })
})

t.test('a redirect is not followed', async t => {
  const asked: Array<string | undefined> = []
  const { url } = await startEndpoint(t, (request, response) => {
    asked.push(request.url)
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  t.same(await outcomeOf(url), { status: 'unhealthy', message: 'answered 302' })
  t.same(asked, ['/health'])
})

t.test('method and headers are the caller\'s, credentials in the URL become a header', async t => {
  const seen: unknown[] = []
  const { host } = await startEndpoint(t, ({ method, url, headers }, response) => {
    seen.push({ method, url, authorization: headers.authorization, own: headers['x-own'] })
    response.end()
  })
  await outcomeOf(`http://us%40er:p%3Ass@${host}/a?b=c`, { method: 'HEAD', headers: { 'x-own': 'yes' } })
  await outcomeOf(`http://${host}`)
  t.same(seen, [
    { method: 'HEAD', url: '/a?b=c', own: 'yes', authorization: `Basic ${btoa('us@er:p:ss')}` },
    { method: 'GET', url: '/', own: undefined, authorization: undefined }
  ])
})

t.test('no message shows the URL', async t => {
  const port = await freePort()
  const refused = await outcomeOf(`http://user:secret@127.0.0.1:${port}/path?token=secret`)
  t.equal(refused?.message, `connect ECONNREFUSED 127.0.0.1:${port}`)
  for (const url of ['nonsense secret', 'redis://user:secret@a', 'http://%zz:secret@a', '']) {
    t.throws(() => httpCheck(url), {
      code: 'FST_CONSUL_INVALID_OPTION',
      message: 'The URL of a health check must be an http or https URL, got another value'
    })
  }
})

t.test('at its limit it gives the connection up, whether no headers came or no end', async t => {
  const { server, host } = await startEndpoint(t, (request, response) => {
    if (request.url === '/body') response.writeHead(200).write('and so on')
  })
  let open = 0
  server.on('connection', socket => {
    open++
    socket.on('close', () => { open-- })
  })
  for (const path of ['/headers', '/body']) {
    t.same(await outcomeOf(`http://${host}${path}`, { timeout: 100 }),
      { status: 'unhealthy', message: 'did not settle within 100 ms' })
    await until(() => open === 0)
  }
})

t.test('a body of any length is read, and no connection is kept', async t => {
  let connections = 0
  const { server, url } = await startEndpoint(t, (_request, response) => response.end(Buffer.alloc(1_000_000)))
  server.on('connection', () => connections++)
  const check = httpCheck(url)
  for (let run = 0; run < 3; run++) t.equal(await check.run(new AbortController().signal), undefined)
  t.equal(connections, 3)
  await until(() => new Promise(resolve => server.getConnections((_error, count) => resolve(count === 0))))
})

t.test('a dispatcher of the caller\'s sends it', async t => {
  const dispatcher = new MockAgent()
  t.teardown(() => dispatcher.close())
  dispatcher.disableNetConnect()
  dispatcher.get('http://l02-runtime').intercept({ path: '/health' }).reply(204)
  t.same(await outcomeOf('http://l02-runtime/health', { dispatcher }), { status: 'healthy' })
})

// lib/health/service-check.ts

t.test('a service with an instance is healthy, one without makes the whole degraded', async t => {
  const instances = new Map<string, readonly unknown[]>([['l02-runtime', [{}]], ['l03', []]])
  const registry: Discoverer = { discover: async name => instances.get(name) ?? [] }
  const manager = new HealthCheckManager()
  manager.add(serviceCheck(registry, 'l02-runtime'))
  manager.add(serviceCheck(registry, 'l03'))
  t.same(await manager.check(), {
    status: 'degraded',
    checks: {
      'l02-runtime': { status: 'healthy' },
      l03: { status: 'unhealthy', message: 'no instance of l03 can be called' }
    }
  })
})

t.test('a critical service check makes the whole unhealthy', async t => {
  const registry: Discoverer = { discover: async () => { throw new Error('Consul has never answered') } }
  const manager = new HealthCheckManager()
  manager.add(serviceCheck(registry, 'l02-runtime', { name: 'runtime', critical: true }))
  t.same(await manager.check(), {
    status: 'unhealthy', checks: { runtime: { status: 'unhealthy', message: 'Consul has never answered' } }
  })
})

t.test('an app may get its discover() after the check was made', async t => {
  const app: Partial<Discoverer> = {}
  const check = serviceCheck(app as Discoverer, 'l02-runtime')
  app.discover = async () => [{}]
  t.equal(await check.run(new AbortController().signal), undefined)
})

t.test('no registry or no name is refused', async t => {
  t.throws(() => serviceCheck(null as unknown as Discoverer, 'a'), {
    code: 'FST_CONSUL_INVALID_OPTION', message: /with discover\(\), got null/
  })
  for (const name of ['', '.', '..', 'a\nb', undefined as unknown as string]) {
    t.throws(() => serviceCheck({ discover: async () => [] }, name), { code: 'FST_CONSUL_INVALID_NAME' })
  }
})

// lib/health/setup.ts

const db = { query: async () => [] }
const redis = { ping: async () => 'PONG' }

function appWith (manager: HealthCheckManager): FastifyInstance {
  return Fastify().decorate('consul', { health: manager } as unknown as FastifyInstance['consul'])
}

t.test('the usual checks are added to the app\'s manager, which is returned', async t => {
  const manager = new HealthCheckManager()
  t.equal(setupHealthChecks(appWith(manager), { db, redis }), manager)
  t.same(await manager.check(), {
    status: 'healthy', checks: { database: { status: 'healthy' }, redis: { status: 'healthy' } }
  })
})

t.test('what is not given is not checked', async t => {
  const manager = new HealthCheckManager()
  const app = appWith(manager)
  setupHealthChecks(app)
  setupHealthChecks(app, { db: undefined, redis })
  t.same(Object.keys((await manager.check()).checks), ['redis'])
})

t.test('checks can be set up when the app is ready', async t => {
  const manager = new HealthCheckManager()
  const app = appWith(manager)
  await app.ready()
  t.teardown(() => app.close())
  t.equal((await manager.check()).status, 'healthy')
  setupHealthChecks(app, { db: { query: async () => { throw new Error('gone') } } })
  t.equal((await manager.check()).status, 'unhealthy')
})

t.test('an app without the plugin is told how to get it', async t => {
  const message = /call `await app\.register\(consul\)` before it/
  for (const app of [Fastify(), {}, undefined as unknown as object, { consul: {} }]) {
    t.throws(() => setupHealthChecks(app, { db }), { code: 'FST_CONSUL_INVALID_OPTION', message })
  }
})

t.test('what cannot be checked is refused', async t => {
  const app = appWith(new HealthCheckManager())
  const code = 'FST_CONSUL_INVALID_OPTION'
  t.throws(() => setupHealthChecks(app, { db: {} }), { code, message: /The database of a health check/ })
  t.throws(() => setupHealthChecks(app, { db: null } as object), { code, message: /The database .* got null$/ })
  t.throws(() => setupHealthChecks(app, { redis: {} }), { code, message: /The client of a Redis health check/ })
  t.throws(() => setupHealthChecks(app, { database: db } as object), { code, message: /got database/ })
  setupHealthChecks(app, { db })
  t.throws(() => setupHealthChecks(app, { db }), { code: 'FST_CONSUL_DUPLICATE_CHECK' })
})

import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import t from 'tap'
import { consulCheckHeader } from '../../lib/check-header.ts'
import type { HealthStatus } from '../../lib/health/check.ts'
import { readySchema } from '../../lib/health/schemas.ts'
import { healthApp } from './health-app.ts'

// lib/health/routes.ts

const asConsul = { [consulCheckHeader.name]: consulCheckHeader.value }

t.test('ready is 200, 200 and 503, and degraded is 429 to Consul\'s own check', async t => {
  let status: HealthStatus = 'healthy'
  const { app } = await healthApp(t, { checks: [{ name: 'database', run: () => status }] })
  const codes: Array<[HealthStatus, number, number]> = [
    ['healthy', 200, 200], ['degraded', 200, 429], ['unhealthy', 503, 503]
  ]
  for (const [next, toOthers, toConsul] of codes) {
    status = next
    const body = `{"status":"${status}","checks":{"database":{"status":"${status}"}}}`
    for (const method of ['GET', 'HEAD'] as const) {
      const others = await app.inject({ method, url: '/health/ready' })
      const consul = await app.inject({ method, url: '/health/ready', headers: asConsul })
      t.equal(others.statusCode, toOthers, `${method} ${status}`)
      t.equal(consul.statusCode, toConsul, `${method} ${status} as Consul`)
      for (const response of [others, consul]) {
        t.equal(response.body, method === 'HEAD' ? '' : body)
        t.equal(response.headers['cache-control'], 'no-store')
        t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
      }
    }
  }
  const forged = await app.inject({ url: '/health/ready', headers: { [consulCheckHeader.name]: 'something else' } })
  t.equal(forged.statusCode, 503)
})

t.test('the body is the same byte for byte while nothing changes', async t => {
  let run = 0
  const { app } = await healthApp(t, {
    checks: ['b', 'a', '__proto__', 'constructor', '7', 'quote"'].map(name => ({
      name, critical: false, run: () => { throw new Error(`failure ${run++} of 10.0.0.1:5432`) }
    }))
  })
  const bodies = new Set<string>()
  for (let i = 0; i < 5; i++) bodies.add((await app.inject('/health/ready')).body)
  t.equal(bodies.size, 1)
  const [body] = [...bodies]
  const failed = '{"status":"unhealthy"}'
  t.equal(body, `{"status":"degraded","checks":{"7":${failed},"b":${failed},"a":${failed},"__proto__":${failed},` +
    `"constructor":${failed},"quote\\"":${failed}}}`)
})

t.test('a message is in the body only if asked for', async t => {
  const message = 'connect ECONNREFUSED postgres://user:secret@10.0.0.1'
  const checks = [{ name: 'database', run: () => { throw new Error(message) } }]
  for (const jsonOnly of [false, true]) {
    const texts = new Map<string | false, string>()
    for (const details of ['status', 'full', false] as const) {
      const app = Fastify()
      // An app that serialises without schemas leaves nothing out.
      if (jsonOnly) app.setSerializerCompiler(() => JSON.stringify)
      texts.set(details, (await (await healthApp(t, { app, checks, details })).app.inject('/health/ready')).body)
    }
    t.equal(texts.get('status'), '{"status":"unhealthy","checks":{"database":{"status":"unhealthy"}}}')
    t.equal(texts.get('full'),
      `{"status":"unhealthy","checks":{"database":{"status":"unhealthy","message":"${message}"}}}`)
    t.equal(texts.get(false), '{"status":"unhealthy"}')
  }
})

t.test('while draining ready is 503 without asking a check, and live goes on', async t => {
  let draining = false
  let runs = 0
  const { app } = await healthApp(t, {
    checks: [{ name: 'a', run: () => { runs++ } }], isDraining: () => draining
  })
  t.equal((await app.inject('/health/ready')).statusCode, 200)
  draining = true
  for (const headers of [{}, asConsul]) {
    const response = await app.inject({ url: '/health/ready', headers })
    t.equal(response.statusCode, 503)
    t.equal(response.body, '{"status":"draining"}')
    t.equal(response.headers['cache-control'], 'no-store')
  }
  t.equal(runs, 1)
  t.equal((await app.inject('/health/live')).statusCode, 200)
})

t.test('live is 200 whatever the checks say', async t => {
  const { app } = await healthApp(t, { checks: [{ name: 'a', run: () => new Promise(() => {}) }] })
  for (const method of ['GET', 'HEAD'] as const) {
    const response = await app.inject({ method, url: '/health/live' })
    t.equal(response.statusCode, 200)
    t.equal(response.body, method === 'GET' ? '{"status":"alive"}' : '')
    t.equal(response.headers['cache-control'], 'no-store')
  }
})

t.test('HEAD works in an app that exposes no HEAD routes', async t => {
  const { app } = await healthApp(t, { app: Fastify({ exposeHeadRoutes: false }) })
  t.equal((await app.inject({ method: 'HEAD', url: '/health/ready' })).statusCode, 200)
  t.equal((await app.inject({ method: 'HEAD', url: '/health/live' })).statusCode, 200)
})

t.test('the routes are mounted under the prefix of where they are', async t => {
  const app = Fastify()
  await app.register(async child => {
    const { paths } = await healthApp({ teardown () {} }, { app: child })
    t.same(paths, { readyPath: '/v1/health/ready', livePath: '/v1/health/live' })
  }, { prefix: '/v1' })
  await app.register(async child => {
    const { paths } = await healthApp({ teardown () {} }, { app: child, prefix: 'internal/', readyPath: '/r' })
    t.same(paths, { readyPath: '/v2/internal/r', livePath: '/v2/internal/health/live' })
  }, { prefix: '/v2' })
  t.teardown(() => app.close())
  for (const url of ['/v1/health/ready', '/v1/health/live', '/v2/internal/r', '/v2/internal/health/live']) {
    t.equal((await app.inject(url)).statusCode, 200, url)
  }
  t.equal((await app.inject('/health/ready')).statusCode, 404)
})

t.test('requests to the health routes are not logged, what goes wrong there is', async t => {
  const lines: string[] = []
  const app = Fastify({ logger: { stream: { write: (line: string) => { lines.push(line) } } } })
  await healthApp(t, { app, checks: [{ name: 'a', run: () => 'unhealthy' }] })
  await app.inject('/health/ready')
  await app.inject('/health/live')
  t.same(lines, [])
  app.log.info('others are')
  t.equal(lines.length, 1)
  const broken = Fastify({ logger: { stream: { write: (line: string) => { lines.push(line) } } } })
  broken.addHook('onRequest', async () => { throw new Error('broken hook') })
  await healthApp(t, { app: broken })
  t.equal((await broken.inject('/health/live')).statusCode, 500)
  t.match(lines.at(-1), /broken hook/)
})

// Swagger

interface Documented {
  response: { 200: { properties: { checks?: { additionalProperties: { properties: object } } } } }
}

t.test('the routes and all their answers are in the documentation', async t => {
  const app = Fastify()
  await app.register(swagger, { openapi: {} })
  await healthApp(t, { app })
  await app.ready()
  t.match(app.swagger(), {
    paths: {
      '/health/ready': { get: { tags: ['health'], responses: { 200: {}, 429: {}, 503: {} } } },
      '/health/live': { get: { tags: ['health'], responses: { 200: {} } } }
    }
  })
})

t.test('a message is documented only where it is told', async t => {
  const { response: status } = readySchema('status') as Documented
  const { response: full } = readySchema('full') as Documented
  const { response: none } = readySchema(false) as Documented
  t.same(Object.keys(status[200].properties.checks?.additionalProperties.properties ?? {}), ['status'])
  t.same(Object.keys(full[200].properties.checks?.additionalProperties.properties ?? {}), ['status', 'message'])
  t.same(Object.keys(none[200].properties), ['status'])
})

t.test('documentation that is registered afterwards does not disturb them', async t => {
  const { app } = await healthApp(t)
  await app.register(swagger, { openapi: {} })
  await app.ready()
  t.equal((await app.inject('/health/ready')).statusCode, 200)
})

// Duplicate route

const code = 'FST_CONSUL_DUPLICATE_ROUTE'
const handler = async (): Promise<string> => 'mine'

t.test('an app that has the route already is told which option to change', async t => {
  for (const [url, option] of [['/health/ready', 'health.readyPath'], ['/health/live', 'health.livePath']] as const) {
    const app = Fastify()
    app.get(url, handler)
    await t.rejects(healthApp(t, { app }), {
      code, message: `The route GET ${url} exists already: set ${option} to another path, or health to false`
    })
  }
})

t.test('so is an app that adds the route later, also in a child', async t => {
  const { app } = await healthApp(t)
  t.throws(() => app.get('/health/ready', handler), { code, message: /set health\.readyPath/ })
  t.throws(() => app.route({ method: ['POST', 'GET'], url: '/health/live', handler }), { code })
  app.register(async child => { child.get('/ready', handler) }, { prefix: '/health' })
  await t.rejects(async () => app.ready(), {
    code, message: /GET \/health\/ready exists already: set health\.readyPath/
  })
})

t.test('one path for both routes is an error', async t => {
  await t.rejects(healthApp(t, { livePath: '/health/ready' }), { code, message: /set health\.livePath/ })
})

t.test('another method, path or constraint is the app\'s own affair', async t => {
  const { app } = await healthApp(t)
  app.post('/health/ready', handler)
  app.get('/health', handler)
  app.route({ method: 'GET', url: '/health/ready', constraints: { host: 'other' }, handler })
  await app.ready()
  t.equal((await app.inject('/health/ready')).json().status, 'healthy')
  t.equal((await app.inject({ url: '/health/ready', headers: { host: 'other' } })).body, 'mine')
})

t.test('an error of another kind stays what it is', async t => {
  await t.rejects(healthApp(t, { readyPath: '/health/:bad(' }), /Invalid regexp/)
})

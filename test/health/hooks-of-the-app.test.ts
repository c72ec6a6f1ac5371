import rateLimit from '@fastify/rate-limit'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { consulCheckHeader } from '../../lib/check-header.ts'
import { healthApp } from './health-app.ts'

const paths = ['/health/ready', '/health/live']

t.test('a global rate limit does not answer for the health routes', async t => {
  const register = async (app: FastifyInstance): Promise<void> => { await app.register(rateLimit, { max: 1 }) }
  for (const when of ['before', 'after']) {
    const app = Fastify()
    if (when === 'before') await register(app)
    await healthApp(t, { app })
    if (when === 'after') await register(app)
    app.get('/', async () => 'hello')
    t.equal((await app.inject('/')).statusCode, 200)
    t.equal((await app.inject('/')).statusCode, 429, `it limits the app's own routes (${when})`)
    for (const url of [...paths, ...paths]) {
      for (const method of ['GET', 'HEAD'] as const) {
        t.equal((await app.inject({ method, url })).statusCode, 200, `${method} ${url} (${when})`)
      }
    }
  }
})

t.test('an auth hook at the root guards the health routes too; a check with the credentials gets in', async t => {
  const addHook = (app: FastifyInstance): void => {
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers.authorization !== 'Bearer probe') return reply.code(401).send({ error: 'who are you?' })
    })
  }
  for (const when of ['before', 'after']) {
    const app = Fastify()
    if (when === 'before') addHook(app)
    await healthApp(t, { app, checks: [{ name: 'a', run: () => 'degraded' }] })
    if (when === 'after') addHook(app)
    for (const url of paths) t.equal((await app.inject(url)).statusCode, 401, `${url} (${when})`)
    const headers = { [consulCheckHeader.name]: consulCheckHeader.value, authorization: 'Bearer probe' }
    t.equal((await app.inject({ url: '/health/ready', headers })).statusCode, 429)
    t.equal((await app.inject({ url: '/health/live', headers })).statusCode, 200)
  }
})

t.test('an auth hook in a child of the app leaves the health routes open', async t => {
  const { app } = await healthApp(t)
  app.register(async child => {
    child.addHook('onRequest', async (_request, reply) => reply.code(401).send({ error: 'who are you?' }))
    child.get('/', async () => 'secret')
  })
  t.equal((await app.inject('/')).statusCode, 401)
  for (const url of paths) t.equal((await app.inject(url)).statusCode, 200)
})

t.test('an auth hook at the root can let the health routes pass by their path', async t => {
  const { app, paths: { readyPath, livePath } } = await healthApp(t)
  const open = new Set<string | undefined>([readyPath, livePath])
  app.addHook('onRequest', async (request, reply) => {
    if (!open.has(request.routeOptions.url)) return reply.code(401).send({ error: 'who are you?' })
  })
  app.get('/', async () => 'secret')
  t.equal((await app.inject('/')).statusCode, 401)
  for (const url of paths) t.equal((await app.inject(url)).statusCode, 200)
})

t.test('an envelope around the replies of the app is none around the health routes\'', async t => {
  const envelopes: Record<string, (app: FastifyInstance) => void> = {
    'a hook': app => app.addHook('preSerialization', async (_request, _reply, payload) => ({ data: payload })),
    'a serializer': app => app.setReplySerializer(payload => JSON.stringify({ data: payload }))
  }
  for (const [name, envelope] of Object.entries(envelopes)) {
    for (const when of ['before', 'after']) {
      const app = Fastify()
      if (when === 'before') envelope(app)
      await healthApp(t, { app })
      if (when === 'after') envelope(app)
      app.get('/', async () => ({ hello: 'world' }))
      t.equal((await app.inject('/')).body, '{"data":{"hello":"world"}}')
      for (const url of paths) {
        const response = await app.inject(url)
        t.equal(response.statusCode, 200, `${url}, ${name} (${when})`)
        t.match(response.json(), { status: /^(healthy|alive)$/ }, `${url}, ${name} (${when})`)
      }
    }
  }
})

import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import t from 'tap'
import { healthApp } from './health-app.ts'

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

t.test('documentation that is registered afterwards does not disturb them', async t => {
  const { app } = await healthApp(t)
  await app.register(swagger, { openapi: {} })
  await app.ready()
  t.equal((await app.inject('/health/ready')).statusCode, 200)
})

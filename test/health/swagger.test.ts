import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import t from 'tap'
import { readySchema } from '../../lib/health/schemas.ts'
import { healthApp } from './health-app.ts'

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

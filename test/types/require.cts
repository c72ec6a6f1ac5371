// Compiled by `npm run typecheck`, never run: the same from CommonJS.
import Fastify = require('fastify')
import consul = require('fastify-consul')

const app = Fastify()
app.register(consul, { service: { name: 'a' } })
const client = new consul.ConsulClient()
const registry = consul.createServiceRegistry('worker', 9000)
// @ts-expect-error no such name
consul.createRegistry('worker')
void client.close()
void registry.close()

// Compiled by `npm run typecheck`, never run: what require() of the package gives to the types of a CommonJS program.
import consul = require('fastify-consul')
import Fastify = require('fastify')
import type { ConsulOptions, ServiceInstance } from 'fastify-consul' with { 'resolution-mode': 'import' }

const app = Fastify()
const options: ConsulOptions = { mode: 'static', fallback: { b: 'http://127.0.0.1:1' } }
app.register(consul, options)
app.register(consul.fastifyConsul, { prefix: '/api' })
// @ts-expect-error an unknown option
app.register(consul, { serviceName: 'a' })

const id: Promise<string> = consul.registerWithConsul({ name: 'a', port: 1 })
const instances: Promise<readonly ServiceInstance[]> = app.discover('b')
const health = new consul.HealthCheckManager()
health.add(consul.optional(consul.redisCheck({ ping: async () => 'PONG' })))
// @ts-expect-error no such name
consul.registerWithKonsul()

module.exports = { id, instances }

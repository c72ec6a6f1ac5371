// A service that others call. Start several: each takes a free port, registers, and gets its share of the calls.
//
//   SERVICE_NAME=l02-runtime node --import tsx examples/provider.ts
//
// Environment: SERVICE_NAME, CONSUL_URL (default http://127.0.0.1:8500), PORT (default 0: any free one), CACHE_URL (a
// cache that the service can do without; default none), and every other variable of the options table.
import { setTimeout } from 'node:timers/promises'
import Fastify from 'fastify'
import consul, { httpCheck, optional } from 'fastify-consul'

const app = Fastify({ logger: true })
await app.register(consul)

// Without its cache an instance is slower, not broken: it is degraded, and gets a tenth of what a healthy one gets.
const { CACHE_URL } = process.env
if (CACHE_URL !== undefined) app.consul.health.add(optional(httpCheck(CACHE_URL, { name: 'cache' })))

app.get('/execute', async () => {
  await setTimeout(5) // Stands for the work.
  return { status: 'executed', by: app.consul.registration.id }
})

await app.listen({ port: Number(process.env.PORT ?? 0), host: '0.0.0.0' })
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => app.close())

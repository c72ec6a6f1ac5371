// A service with a /metrics route for Prometheus. The route is its own: put it behind your authentication, or on a port
// of its own, as you like. With SERVICE_TAGS=metrics the Prometheus of monitoring/ finds it through Consul.
//
//   SERVICE_NAME=l01-data-layer node --import tsx examples/metrics.ts
//   curl http://127.0.0.1:8001/metrics
//
// Environment: SERVICE_NAME, CONSUL_URL (default http://127.0.0.1:8500), PORT (default 8001; 0: any free one), and
// every other variable of the options table.
import Fastify from 'fastify'
import consul from 'fastify-consul'
import { collectDefaultMetrics, register } from 'prom-client'

collectDefaultMetrics() // Those of Node: memory, the event loop's delay, and so on.

const app = Fastify({ logger: true })
await app.register(consul, { metrics: { register } })

app.get('/metrics', async (_request, reply) => {
  return reply.type(register.contentType).send(await register.metrics())
})

app.get('/call-l02', async () => {
  const response = await app.fetch('http://l02-runtime/execute')
  return await response.json()
})

await app.listen({ port: Number(process.env.PORT ?? 8001), host: '0.0.0.0' })
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => app.close())

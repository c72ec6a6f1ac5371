// The shortest service: it registers under SERVICE_NAME, finds the instances of l02-runtime, calls them in turn, and
// leaves without losing a request.
//
//   SERVICE_NAME=l01-data-layer node --import tsx examples/minimal.ts
//
// Environment: SERVICE_NAME, CONSUL_URL (default http://127.0.0.1:8500), PORT (default 8001; 0: any free one).
import Fastify from 'fastify'
import consul from 'fastify-consul'

const app = Fastify({ logger: true })
await app.register(consul)

app.get('/call-l02', async () => {
  const instances = await app.discover('l02-runtime')
  const response = await app.fetch('http://l02-runtime/execute')
  return { instances: instances.length, result: await response.json() }
})

await app.listen({ port: Number(process.env.PORT ?? 8001), host: '0.0.0.0' })
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => app.close())

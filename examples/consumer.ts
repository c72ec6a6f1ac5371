// A service that calls another one by its name, balanced over the healthy instances.
//
//   SERVICE_NAME=l01-data-layer node --import tsx examples/consumer.ts
//   curl http://127.0.0.1:8001/call-l02
//
// Environment: SERVICE_NAME, CONSUL_URL (default http://127.0.0.1:8500), PORT (default 8001; 0: any free one), and
// every other variable of the options table.
import Fastify from 'fastify'
import consul from 'fastify-consul'

const app = Fastify({ logger: true })
await app.register(consul, { discovery: { preload: ['l02-runtime'] } })

app.get('/call-l02', async () => {
  const instances = await app.discover('l02-runtime')
  const response = await app.fetch('http://l02-runtime/execute')
  if (!response.ok) throw new Error(`l02-runtime answered ${response.status}`)
  return { instances: instances.length, result: await response.json() }
})

await app.listen({ port: Number(process.env.PORT ?? 8001), host: '0.0.0.0' })
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => app.close())

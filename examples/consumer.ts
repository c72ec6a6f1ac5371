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
  return { instances: instances.length, result: await execute() }
})

/**
 * A connection that is refused costs nothing: the next instance gets the request. But one that dies with the request
 * may have carried it out, so whether it is sent again is for the caller to say. Here it is: to execute twice does no
 * harm.
 */
async function execute (tries = 3): Promise<unknown> {
  try {
    const response = await app.fetch('http://l02-runtime/execute')
    if (!response.ok) throw new Error(`l02-runtime answered ${response.status}`)
    return await response.json()
  } catch (error) {
    if (tries === 1) throw error
    return await execute(tries - 1)
  }
}

await app.listen({ port: Number(process.env.PORT ?? 8001), host: '0.0.0.0' })
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => app.close())

// One layer of the platform. All twelve run this file, each in a process of its own; only their environment differs.
//
//   SERVICE_NAME=l02-runtime CALLS=l01-data-layer SERVICE_PORT=8002 node --import tsx examples/platform/service.ts
//
// Environment: SERVICE_NAME, SERVICE_PORT (default 0: any free one), HOST (default 127.0.0.1), CALLS (the layers that
// this one calls), DATABASE_URL and REDIS_URL (of the data layer), CONSUL_URL (default http://127.0.0.1:8500), and
// every other variable of the options table.
import { setTimeout } from 'node:timers/promises'
import Fastify from 'fastify'
import consul, { databaseCheck, redisCheck } from 'fastify-consul'

const { SERVICE_NAME, SERVICE_PORT = '0', HOST = '127.0.0.1', CALLS = '', DATABASE_URL, REDIS_URL } = process.env
const called = CALLS.split(',').filter(name => name !== '')

const app = Fastify({ logger: true })
await app.register(consul, { discovery: { preload: called } })
const work = await Promise.all([
  ...(DATABASE_URL === undefined ? [] : [database(DATABASE_URL)]),
  ...(REDIS_URL === undefined ? [] : [redis(REDIS_URL)])
])

/** Does its own work, has the layers below do theirs, and answers how many layers have worked in all. */
app.route({
  method: ['GET', 'POST'],
  url: '/execute',
  logLevel: 'warn', // No line per request.
  handler: async ({ method }) => {
    await Promise.all([setTimeout(20), ...work.map(step => step())])
    const below = await Promise.all(called.map(name => execute(name, method)))
    return { layer: SERVICE_NAME, worked: below.reduce((sum, worked) => sum + worked, 1) }
  }
})

app.get<{ Params: { name: string } }>('/explain/:name', async ({ params }) => String(app.consul.explain(params.name)))

await app.listen({ port: Number(SERVICE_PORT), host: HOST })
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => app.close())

async function execute (name: string, method: string): Promise<number> {
  const response = await app.fetch(`http://${name}/execute`, { method })
  const answer = await response.json() as { worked: number }
  if (!response.ok) throw new Error(`${name} answered ${response.status}`)
  return answer.worked
}

async function database (url: string): Promise<() => Promise<unknown>> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: url })
  pool.on('error', error => app.log.warn(error, 'PostgreSQL')) // Without it a broken connection would end the process.
  app.consul.health.add(databaseCheck(pool))
  app.addHook('onClose', () => pool.end())
  return () => pool.query('SELECT now()')
}

async function redis (url: string): Promise<() => Promise<unknown>> {
  const { Redis } = await import('ioredis')
  const client = new Redis(url)
  client.on('error', error => app.log.warn(error, 'Redis'))
  app.consul.health.add(redisCheck(client))
  app.addHook('onClose', async () => client.disconnect())
  return () => client.incr('requests')
}

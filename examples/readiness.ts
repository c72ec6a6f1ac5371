// Readiness with PostgreSQL and Redis, in one call: without either the service gets no requests.
//
//   SERVICE_NAME=orders DATABASE_URL=postgres://user:password@127.0.0.1/orders REDIS_URL=redis://127.0.0.1 \
//     node --import tsx examples/readiness.ts
//   curl http://127.0.0.1:8003/health/ready
//
// Environment: DATABASE_URL, REDIS_URL, SERVICE_NAME, CONSUL_URL (default http://127.0.0.1:8500), PORT (default 8003;
// 0: any free one).
import Fastify from 'fastify'
import consul, { setupHealthChecks } from 'fastify-consul'
import { Redis } from 'ioredis'
import pg from 'pg'

const { DATABASE_URL = 'postgres://127.0.0.1', REDIS_URL = 'redis://127.0.0.1', PORT = '8003' } = process.env

const app = Fastify({ logger: true })
const db = new pg.Pool({ connectionString: DATABASE_URL })
const redis = new Redis(REDIS_URL)
// Without a listener either one would end the process when its connection breaks.
db.on('error', error => app.log.warn(error, 'PostgreSQL'))
redis.on('error', error => app.log.warn(error, 'Redis'))

await app.register(consul)
setupHealthChecks(app, { db, redis })

app.get('/orders', async () => {
  const { rows } = await db.query('SELECT now() AS time')
  return { ...rows[0], requests: await redis.incr('requests') }
})

app.addHook('onClose', async () => {
  redis.disconnect()
  await db.end()
})

await app.listen({ port: Number(PORT), host: '0.0.0.0' })
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => app.close())

// Readiness by hand: which checks there are, what each may take, and what its failure means.
//
//   SERVICE_NAME=orders DATABASE_URL=postgres://user:password@127.0.0.1/orders REDIS_URL=redis://127.0.0.1 \
//     node --import tsx examples/readiness-by-hand.ts
//   curl http://127.0.0.1:8003/health/ready
//
// Environment: DATABASE_URL, REDIS_URL, SERVICE_NAME, CONSUL_URL (default http://127.0.0.1:8500), PORT (default 8003;
// 0: any free one).
import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import Fastify from 'fastify'
import consul, { databaseCheck, redisCheck } from 'fastify-consul'
import { Redis } from 'ioredis'
import pg from 'pg'

const { DATABASE_URL = 'postgres://127.0.0.1', REDIS_URL = 'redis://127.0.0.1', PORT = '8003' } = process.env

const app = Fastify({ logger: true })
const orders = new pg.Pool({ connectionString: DATABASE_URL })
const sessions = new Redis(REDIS_URL)
// Without a listener either one would end the process when its connection breaks.
orders.on('error', error => app.log.warn(error, 'PostgreSQL'))
sessions.on('error', error => app.log.warn(error, 'Redis'))

await app.register(consul, {
  health: {
    details: 'full', // Failures are told in the body of /health/ready too, not only in the log.
    checks: [
      // Unhealthy without it, which is the default: no requests come.
      databaseCheck(orders, { name: 'orders', timeout: '500ms' }),
      // Degraded without it: a tenth of what a healthy instance gets.
      redisCheck(sessions, { name: 'sessions', critical: false }),
      // A check of one's own resolves, resolves to a status, or throws.
      { name: 'disk', critical: false, run: checkDisk }
    ]
  }
})

async function checkDisk (): Promise<void> {
  const { bavail, bsize } = await statfs(tmpdir())
  if (bavail * bsize < 10_000_000) throw new Error('less than 10 MB are left')
}

app.addHook('onClose', async () => {
  sessions.disconnect()
  await orders.end()
})

await app.listen({ port: Number(PORT), host: '0.0.0.0' })
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => app.close())

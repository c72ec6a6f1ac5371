import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { startPostgres } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/wait.ts'
import { boot, terminate } from './boot.ts'

const healthy = { status: 'healthy' }

t.test('readiness asks PostgreSQL and Redis, and is lost or degraded without them', async t => {
  const [consul, db, redis] = await Promise.all([startConsul(t), startPostgres(t), startRedis(t)])
  const env = { DATABASE_URL: db.connectionString, REDIS_URL: redis.url }
  const [setUp, byHand] = await Promise.all([
    boot(t, 'readiness.ts', consul, { SERVICE_NAME: 'set-up', ...env }),
    boot(t, 'readiness-by-hand.ts', consul, { SERVICE_NAME: 'by-hand', ...env })
  ])
  t.match(await answer(`${setUp.url}/orders`), { status: 200, body: { time: /^\d{4}-/, requests: 1 } })
  await until(async () => (await readiness(setUp)).body.status === 'healthy')
  t.match(await readiness(setUp), {
    status: 200, body: { ...healthy, checks: { database: healthy, redis: healthy } }
  })
  await until(async () => (await readiness(byHand)).body.status === 'healthy')
  t.match(await readiness(byHand), {
    status: 200, body: { ...healthy, checks: { orders: healthy, sessions: healthy, disk: healthy } }
  })

  await redis.kill()
  await until(async () => (await readiness(setUp)).body.status === 'unhealthy', { what: 'unhealthy without Redis' })
  await until(async () => (await readiness(byHand)).body.status === 'degraded', { what: 'degraded without Redis' })
  t.match(await readiness(byHand), { status: 200, body: { checks: { sessions: { message: /.+/ } } } })

  await db.kill()
  await until(async () => (await readiness(byHand)).status === 503, { what: 'not ready without PostgreSQL' })

  t.strictSame(await terminate(setUp, consul, 'set-up'), { code: 0, listed: [] })
  t.strictSame(await terminate(byHand, consul, 'by-hand'), { code: 0, listed: [] })
})

interface Answer {
  status: number
  body: { status?: string }
}

function readiness ({ url }: { url: string }): Promise<Answer> {
  return answer(`${url}/health/ready`)
}

async function answer (url: string): Promise<Answer> {
  const response = await fetch(url)
  return { status: response.status, body: await response.json() as Answer['body'] }
}

import pg from 'pg'
import { Redis } from 'ioredis'
import t from 'tap'
import { startPostgres } from './postgres.ts'
import { startRedis } from './redis.ts'

t.test('a killed Redis refuses connections', async t => {
  const redis = await startRedis(t)
  const connect = async (): Promise<Redis> => {
    const client = new Redis(redis.url, { lazyConnect: true, retryStrategy: null })
    client.on('error', () => {})
    t.teardown(() => client.disconnect())
    await client.connect()
    return client
  }
  t.equal(await (await connect()).ping(), 'PONG')
  await redis.kill()
  await t.rejects(connect())
})

t.test('a stopped PostgreSQL refuses connections', async t => {
  const postgres = await startPostgres(t)
  const connect = async (connectionString: string): Promise<void> => {
    const client = new pg.Client({ connectionString })
    client.on('error', () => {})
    t.teardown(() => client.end())
    await client.connect()
  }
  await connect(postgres.connectionString)
  await t.rejects(connect(postgres.connectionString.replace(postgres.password, 'wrong')), { code: '28P01' })
  await postgres.stop()
  await t.rejects(connect(postgres.connectionString), { code: 'ECONNREFUSED' })
})

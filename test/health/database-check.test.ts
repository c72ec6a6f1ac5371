import pg from 'pg'
import t, { type Test } from 'tap'
import { databaseCheck } from '../../lib/health/database-check.ts'
import { HealthCheckManager } from '../../lib/health/manager.ts'
import { startPostgres } from '../support/postgres.ts'
import { startProxy, type Proxy } from '../support/proxy.ts'
import { until } from '../support/wait.ts'
import { healthApp } from './health-app.ts'

const never = new AbortController().signal

interface Setup { pool: pg.Pool, proxy: Proxy }

/** A pool of connections to a real PostgreSQL, by way of a proxy. */
async function setUp (t: Test): Promise<Setup> {
  const postgres = await startPostgres(t)
  const proxy = await startProxy(t, postgres)
  const { user, password, database } = postgres
  const pool = new pg.Pool({ user, password, database, host: proxy.host, port: proxy.port, max: 2 })
  pool.on('error', () => {}) // Idle connections break in these tests.
  t.teardown(() => pool.end())
  return { pool, proxy }
}

t.test('readiness follows a PostgreSQL that goes away and comes back', async t => {
  const { pool, proxy } = await setUp(t)
  const { app } = await healthApp(t, { checks: [databaseCheck(pool)] })
  const ready = async (): Promise<number> => (await app.inject('/health/ready')).statusCode
  t.equal(await ready(), 200)
  await proxy.refuse(true)
  proxy.reset()
  await until(async () => await ready() === 503)
  t.equal((await app.inject('/health/ready')).body,
    '{"status":"unhealthy","checks":{"database":{"status":"unhealthy"}}}')
  await proxy.refuse(false)
  await until(async () => await ready() === 200)
})

t.test('a PostgreSQL that does not answer has failed at the limit, and is healthy once it does', async t => {
  const { pool, proxy } = await setUp(t)
  const manager = new HealthCheckManager({ cacheFor: 0, timeout: 200 })
  manager.add(databaseCheck(pool))
  t.equal((await manager.check()).status, 'healthy')
  proxy.blackhole(true)
  const start = performance.now()
  t.match(await manager.check(), { status: 'unhealthy', checks: { database: { status: 'unhealthy' } } })
  t.ok(performance.now() - start < 700, 'not long after the limit')
  await until(() => pool.totalCount === 0, { what: 'the pool to drop the connection that does not answer' })
  proxy.blackhole(false)
  await until(async () => (await manager.check()).status === 'healthy')
})

t.test('a limit of its own is the limit of its query too', async t => {
  const { pool, proxy } = await setUp(t)
  const check = databaseCheck(pool, { timeout: '100ms' })
  await check.run(never)
  proxy.blackhole(true)
  await t.rejects(async () => check.run(never), { message: 'Query read timeout' })
})

t.test('a client of pg is checked, and so is the query that is given', async t => {
  const { connectionString } = await startPostgres(t)
  const client = new pg.Client({ connectionString })
  await client.connect()
  const check = databaseCheck(client, { query: 'SELECT no_such_column' })
  await t.rejects(async () => check.run(never), { message: 'column "no_such_column" does not exist' })
  t.equal(await databaseCheck(client).run(never), undefined)
  await client.end()
  await t.rejects(async () => databaseCheck(client).run(never), /not queryable|closed/)
})

t.test('wrong credentials fail without a word of them in the body', async t => {
  const { connectionString, password } = await startPostgres(t)
  const pool = new pg.Pool({ connectionString: connectionString.replace(password, 'wrong-secret') })
  t.teardown(() => pool.end())
  const { app, manager } = await healthApp(t, { checks: [databaseCheck(pool)] })
  t.match((await manager.check()).checks.database?.message, /password authentication failed/)
  t.notMatch((await app.inject('/health/ready')).body, /postgres|secret|failed/)
})

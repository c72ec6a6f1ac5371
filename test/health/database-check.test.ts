import { EventEmitter } from 'node:events'
import pg from 'pg'
import t, { type Test } from 'tap'
import { databaseCheck } from '../../lib/health/database-check.ts'
import { HealthCheckManager } from '../../lib/health/manager.ts'
import { startPostgres } from '../support/postgres.ts'
import { type Proxy, startProxy } from '../support/proxy.ts'
import { until } from '../support/wait.ts'
import { healthApp } from './health-app.ts'

// lib/health/database-check.ts

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
  await until(async () => await ready() === 200)
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
  const manager = new HealthCheckManager({ cacheFor: 0, timeout: 2000 })
  manager.add(databaseCheck(pool))
  t.equal((await manager.check()).status, 'healthy')
  proxy.blackhole(true)
  t.match(await manager.check(), { status: 'unhealthy', checks: { database: { status: 'unhealthy' } } })
  await until(() => pool.totalCount === 0, { what: 'the pool to drop the connection that does not answer' })
  proxy.blackhole(false)
  await until(async () => (await manager.check()).status === 'healthy')
})

t.test('a limit of its own is the limit of its query too', async t => {
  const { pool, proxy } = await setUp(t)
  const check = databaseCheck(pool, { timeout: '2s' })
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

// The interfaces of databases that these tests have no server for.

class Recorder {
  readonly asked: unknown[] = []

  answer = async (...values: unknown[]): Promise<unknown[]> => {
    this.asked.push(...values)
    return [{ 1: 1 }]
  }
}

t.test('each kind of client is asked in its own way', async t => {
  const kinds: Record<string, (recorder: Recorder) => object> = {
    'an object with query()': ({ answer }) => ({ query: answer }),
    'mysql2 with promises': ({ answer }) => new (class { query = answer; execute = answer })(),
    'mysql2 with callbacks': ({ answer }) => ({
      query: () => { throw new Error('without a callback this gives no promise') },
      raw: () => { throw new Error('this has another meaning than that of knex') },
      promise: () => ({ query: answer })
    }),
    'a knex instance, which is a function': ({ answer }) => Object.assign(() => {}, { raw: answer }),
    Prisma: ({ answer }) => ({ $queryRawUnsafe: answer, $queryRaw: () => { throw new Error('needs a template') } })
  }
  for (const [name, make] of Object.entries(kinds)) {
    const recorder = new Recorder()
    t.equal(await databaseCheck(make(recorder)).run(never), undefined, name)
    t.same(recorder.asked, ['SELECT 1'], name)
  }
})

t.test('Prisma without $queryRawUnsafe gets a template', async t => {
  const asked: unknown[] = []
  const $queryRaw = async (strings: TemplateStringsArray, ...values: unknown[]): Promise<void> => {
    asked.push([...strings], [...strings.raw], values)
  }
  await databaseCheck({ $queryRaw }, { query: 'SELECT 2' }).run(never)
  t.same(asked, [['SELECT 2'], ['SELECT 2'], []])
})

t.test('a method is called on its object, as it is by then', async t => {
  const database = {
    answer: 1,
    async query () { return this.answer }
  }
  const check = databaseCheck(database)
  t.equal(await check.run(never), undefined)
  database.query = async () => { throw new Error('wrapped') }
  await t.rejects(async () => check.run(never), { message: 'wrapped' })
})

t.test('a query that gives no promise has not succeeded', async t => {
  const check = databaseCheck({ query: () => new EventEmitter() })
  t.same(await check.run(never), { status: 'unhealthy', message: 'the query gave no promise' })
})

t.test('what is no database is refused when the check is made', async t => {
  for (const [given, kind] of [[undefined, 'undefined'], [null, 'null'], [{}, 'object'], ['postgres://', 'string']]) {
    t.throws(() => databaseCheck(given as object), {
      code: 'FST_CONSUL_INVALID_OPTION',
      message: 'The database of a health check must be a pool or client of pg, mysql2, knex or Prisma, ' +
        `or an object whose query() gives a promise, got ${kind}`
    })
  }
  t.throws(() => databaseCheck({ query: async () => {} }, { timeout: 'soon' }), { code: 'FST_CONSUL_INVALID_OPTION' })
})

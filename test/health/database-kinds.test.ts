import { EventEmitter } from 'node:events'
import t from 'tap'
import { databaseCheck } from '../../lib/health/database-check.ts'

// The interfaces of databases that these tests have no server for.

const never = new AbortController().signal

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

import { InvalidOptionError } from '../errors.ts'
import type { CheckLimits, CheckResult, CheckSettings, HealthCheck } from './check.ts'
import { isThenable, kindOf, methodOf } from './method-of.ts'
import { unhealthy } from './result.ts'
import { timeoutOf } from './timeout.ts'

export interface DatabaseCheckSettings extends CheckSettings {
  /** Default `SELECT 1`. */
  query?: string | undefined
}

/** Sends one statement; `timeout` in milliseconds. */
type Send = (sql: string, timeout: number) => unknown

/**
 * A check that a database answers `SELECT 1`. Takes a pool or client of pg, a pool or connection of mysql2, a knex
 * instance, a Prisma client, or anything whose `query(sql)` gives a promise. Default: named `database`, critical.
 *
 * @throws FST_CONSUL_INVALID_OPTION if `database` is none of these
 */
export function databaseCheck (
  database: object,
  { name = 'database', critical, timeout, query = 'SELECT 1' }: DatabaseCheckSettings = {}
): HealthCheck {
  const send = senderOf(database)
  const limit = timeout === undefined ? undefined : timeoutOf(timeout, 'timeout of databaseCheck()')
  return {
    name,
    critical,
    timeout,
    async run (_signal: AbortSignal, limits?: CheckLimits): Promise<CheckResult | undefined> {
      const answer = send(query, limit ?? limits?.timeout ?? Infinity)
      if (!isThenable(answer)) return unhealthy('the query gave no promise')
      await answer
      return undefined
    }
  }
}

function senderOf (database: unknown): Send {
  const prisma = methodOf(database, '$queryRawUnsafe')
  if (prisma !== undefined) return sql => prisma(sql)

  const prismaTemplate = methodOf(database, '$queryRaw')
  if (prismaTemplate !== undefined) return sql => prismaTemplate(Object.assign([sql], { raw: [sql] }))

  // mysql2 has two interfaces: the one with callbacks leads to the one with promises. Its `raw()` is not knex's.
  const promised = methodOf(database, 'promise')
  if (promised !== undefined) return sql => methodOf(promised(), 'query')?.(sql)

  const knex = methodOf(database, 'raw')
  if (knex !== undefined) return sql => knex(sql)

  const query = methodOf(database, 'query')
  if (query === undefined) throw notADatabase(database)
  return isPg(database) ? (sql, timeout) => query(pgQuery(sql, timeout)) : sql => query(sql)
}

function notADatabase (given: unknown): Error {
  return new InvalidOptionError('The database of a health check',
    'a pool or client of pg, mysql2, knex or Prisma, or an object whose query() gives a promise', kindOf(given))
}

/** A pool counts its clients, a client has its connection's parameters. */
function isPg (database: unknown): boolean {
  return typeof database === 'object' && database !== null &&
    ('totalCount' in database || 'connectionParameters' in database)
}

/** With a limit of its own a query on a connection that died silently ends, and the pool replaces the connection. */
function pgQuery (text: string, timeout: number): object {
  return timeout === Infinity ? { text } : { text, query_timeout: timeout }
}

import { startPostgres } from '../../test/support/postgres.ts'
import { startRedis } from '../../test/support/redis.ts'
import type { Teardown } from '../../test/support/teardown.ts'

export interface Stores {
  /** Variables of the data layer. */
  env: Record<string, string>
  /** A line for each: where it is, or why the data layer has to do without. */
  descriptions: string[]
}

interface Store {
  variable: string
  url: string
  description: string
}

/** PostgreSQL and Redis, each from wherever there is one. */
export async function findStores (t: Teardown): Promise<Stores> {
  const found = await Promise.all([findPostgres(t).catch(missing), findRedis(t).catch(missing)])
  const stores = found.filter(each => typeof each !== 'string')
  return {
    env: Object.fromEntries(stores.map(({ variable, url }) => [variable, url])),
    descriptions: found.map(each => typeof each === 'string' ? each : each.description)
  }
}

async function findPostgres (t: Teardown): Promise<Store> {
  const { host, port, connectionString: url } = await startPostgres(t)
  return { variable: 'DATABASE_URL', url, description: `PostgreSQL at ${host}:${port}` }
}

async function findRedis (t: Teardown): Promise<Store> {
  const { host, port, url } = await startRedis(t)
  return { variable: 'REDIS_URL', url, description: `Redis at ${host}:${port}` }
}

/** The first line says what is missing, the others where it was looked for. */
function missing (error: Error): string {
  const [why = ''] = error.message.split('\n')
  return `${why.replace(' Looked for:', '')} The data layer does without, and without the check.`
}

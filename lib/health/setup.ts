import type { FastifyInstance } from 'fastify'
import { InvalidOptionError } from '../errors.ts'
import type { HealthCheck } from './check.ts'
import { databaseCheck } from './database-check.ts'
import { HealthCheckManager } from './manager.ts'
import { redisCheck } from './redis-check.ts'

export interface SetupHealthChecksOptions {
  /** What `databaseCheck()` takes. Default: no such check. */
  db?: object | undefined
  /** What `redisCheck()` takes. Default: no such check. */
  redis?: object | undefined
}

interface WithHealth {
  readonly consul?: { readonly health?: unknown } | undefined
}

/**
 * Adds the checks that most services need to `app.consul.health`, which it returns. Call it after
 * `await app.register(consul)`, at any time.
 *
 * @throws FST_CONSUL_INVALID_OPTION if the plugin is not registered, or for what the two factories refuse
 * @throws FST_CONSUL_DUPLICATE_CHECK if there is a check named `database` or `redis`
 */
export function setupHealthChecks (
  app: FastifyInstance | WithHealth,
  { db, redis, ...unknown }: SetupHealthChecksOptions = {}
): HealthCheckManager {
  const manager = managerOf(app)
  const [option] = Object.keys(unknown)
  if (option !== undefined) throw new InvalidOptionError('setupHealthChecks()', 'given db and redis only', option)
  const checks: HealthCheck[] = []
  if (db !== undefined) checks.push(databaseCheck(db))
  if (redis !== undefined) checks.push(redisCheck(redis))
  for (const check of checks) manager.add(check)
  return manager
}

function managerOf (app: FastifyInstance | WithHealth): HealthCheckManager {
  const manager = (app as WithHealth | undefined)?.consul?.health
  if (manager instanceof HealthCheckManager) return manager
  throw new InvalidOptionError('The app of setupHealthChecks()',
    'an app with the plugin: call `await app.register(consul)` before it', 'one without app.consul.health')
}

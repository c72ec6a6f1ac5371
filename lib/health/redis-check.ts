import { InvalidOptionError } from '../errors.ts'
import type { CheckResult, CheckSettings, HealthCheck } from './check.ts'
import { isThenable, kindOf, methodOf } from './method-of.ts'
import { unhealthy } from './result.ts'

/**
 * A check that Redis answers `PING`. Takes a client of ioredis or node-redis, or anything whose `ping()` gives a
 * promise. A client without a connection may keep the command until it has one: the limit decides. Default: named
 * `redis`, critical.
 *
 * @throws FST_CONSUL_INVALID_OPTION if `client` has no `ping()`
 */
export function redisCheck (client: object, { name = 'redis', critical, timeout }: CheckSettings = {}): HealthCheck {
  const ping = methodOf(client, 'ping')
  if (ping === undefined) {
    throw new InvalidOptionError('The client of a Redis health check',
      'a client of ioredis or node-redis, or an object whose ping() gives a promise', kindOf(client))
  }
  return {
    name,
    critical,
    timeout,
    async run (): Promise<CheckResult | undefined> {
      const answer = ping()
      if (!isThenable(answer)) return unhealthy('ping() gave no promise')
      await answer
      return undefined
    }
  }
}

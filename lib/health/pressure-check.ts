import { InvalidOptionError } from '../errors.ts'
import type { CheckResult, CheckSettings, HealthCheck } from './check.ts'
import { kindOf } from './method-of.ts'

/** A Fastify instance on which @fastify/under-pressure is registered. */
export interface Measured {
  isUnderPressure (): boolean
}

/**
 * A check that is `degraded` while @fastify/under-pressure measures too much of what it was told to limit. Default:
 * named `pressure`, not critical.
 *
 * @throws FST_CONSUL_INVALID_OPTION if `app` is no object
 */
export function pressureCheck (
  app: Measured,
  { name = pressureName, critical = false, timeout }: CheckSettings = {}
): HealthCheck {
  if (typeof app !== 'object' || app === null) {
    throw new InvalidOptionError('The app of a pressure check', 'a Fastify instance', kindOf(app))
  }
  return {
    name,
    critical,
    timeout,
    run (): CheckResult {
      return app.isUnderPressure() ? { status: 'degraded', message: 'under pressure' } : { status: 'healthy' }
    }
  }
}

export const pressureName = 'pressure'

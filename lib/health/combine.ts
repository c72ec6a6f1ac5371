import { systemClock } from '../clock.ts'
import { InvalidOptionError } from '../errors.ts'
import { shown } from '../options/error.ts'
import type { CheckLimits, CheckResult, CheckSettings, HealthCheck, HealthStatus, LimitedCheck } from './check.ts'
import { bestStatus, failuresOf, type Outcome, overallStatus } from './report.ts'
import { CheckRunner, validated } from './runner.ts'

/** `timeout`: a limit of the whole; default none, as every part has its own. */
export type CombineSettings = Omit<CheckSettings, 'name'>

/**
 * Several checks as one: as bad as the worst of them, where one that is not critical makes it `degraded`.
 *
 * @throws FST_CONSUL_INVALID_OPTION without a check
 */
export function allOf (name: string, checks: readonly HealthCheck[], settings?: CombineSettings): HealthCheck {
  return combined(name, checks, overallStatus, settings)
}

/**
 * Several checks as one: as good as the best of them.
 *
 * @throws FST_CONSUL_INVALID_OPTION without a check
 */
export function anyOf (name: string, checks: readonly HealthCheck[], settings?: CombineSettings): HealthCheck {
  return combined(name, checks, bestStatus, settings)
}

/**
 * The same check, not critical: its failure means `degraded`.
 *
 * @throws FST_CONSUL_INVALID_OPTION if it is no check
 */
export function optional (check: HealthCheck): HealthCheck {
  const inner: LimitedCheck = validated(check)
  return {
    name: inner.name,
    critical: false,
    timeout: inner.timeout,
    run: (signal: AbortSignal, limits: CheckLimits = unlimited) => inner.run(signal, limits)
  }
}

/** For a `run` that is called by hand. */
const unlimited: CheckLimits = { timeout: Infinity, clock: systemClock }

function combined (
  name: string,
  checks: readonly HealthCheck[],
  verdict: (outcomes: readonly Outcome[]) => HealthStatus,
  { critical, timeout = Infinity }: CombineSettings = {}
): HealthCheck {
  if (!Array.isArray(checks) || checks.length === 0) {
    const received = Array.isArray(checks) ? 'an empty one' : shown('checks', checks)
    throw new InvalidOptionError(`checks of the health check ${name}`, 'a list of at least one check', received)
  }
  const runners = checks.map(check => new CheckRunner(check))
  return {
    name,
    critical,
    timeout,
    async run (signal: AbortSignal, limits: CheckLimits = unlimited): Promise<CheckResult> {
      const outcomes = await Promise.all(runners.map(runner => runner.run(limits, signal)))
      const status = verdict(outcomes)
      return status === 'healthy' ? { status } : { status, message: failuresOf(outcomes) }
    }
  }
}

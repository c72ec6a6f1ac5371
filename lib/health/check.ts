import type { Clock } from '../clock.ts'
import type { HealthCheck } from '../options/types.ts'

export type { HealthCheck } from '../options/types.ts'

/** `degraded` is ready, but worse than usual: 200 to everyone, 429 (`warning`) to Consul's own check. */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy'

/** How one run of a check ended. A message can hold addresses and credentials. */
export interface CheckResult {
  readonly status: HealthStatus
  readonly message?: string
}

/** The whole and its parts, deeply frozen; `checks` is a null-prototype object. */
export interface HealthReport {
  readonly status: HealthStatus
  readonly checks: Readonly<Record<string, CheckResult>>
}

/** What applies to a check that sets no limit itself: `timeout` in milliseconds. */
export interface CheckLimits {
  readonly timeout: number
  readonly clock: Clock
}

/** A check that hands limits on to checks of its own. Every `HealthCheck` is one. */
export interface LimitedCheck extends Omit<HealthCheck, 'run'> {
  run (signal: AbortSignal, limits: CheckLimits): unknown
}

/** What every factory of a check takes. */
export interface CheckSettings {
  /** Unique within the manager. */
  name?: string | undefined
  /** Whether its failure means `unhealthy`, not `degraded`. */
  critical?: boolean | undefined
  /** Milliseconds or a Go duration. Default: the manager's. */
  timeout?: HealthCheck['timeout']
}

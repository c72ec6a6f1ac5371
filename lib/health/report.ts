import type { CheckResult, HealthReport, HealthStatus } from './check.ts'

export interface Outcome {
  readonly name: string
  readonly critical: boolean
  readonly result: CheckResult
}

const badness: Record<HealthStatus, number> = { healthy: 0, degraded: 1, unhealthy: 2 }

export function reportOf (outcomes: readonly Outcome[]): HealthReport {
  const checks: Record<string, CheckResult> = Object.create(null)
  for (const { name, result } of outcomes) checks[name] = Object.freeze({ ...result })
  return Object.freeze({ status: overallStatus(outcomes), checks: Object.freeze(checks) })
}

/** The worst of all, where the failure of a check that is not critical counts as `degraded`. */
export function overallStatus (outcomes: readonly Outcome[]): HealthStatus {
  return outcomes.map(contribution).reduce(worse, 'healthy')
}

export function bestStatus (outcomes: readonly Outcome[]): HealthStatus {
  return outcomes.map(({ result }) => result.status).reduce(better, 'unhealthy')
}

/** What is not healthy, and how: the same text as long as that is the same. */
export function failingOf (outcomes: readonly Outcome[]): string {
  const failing = outcomes.filter(({ result }) => result.status !== 'healthy')
  return JSON.stringify(failing.map(({ name, result }) => [name, result.status]))
}

/** `name: message` of everything that is not healthy. */
export function failuresOf (outcomes: readonly Outcome[]): string {
  return outcomes
    .filter(({ result }) => result.status !== 'healthy')
    .map(({ name, result }) => `${name}: ${result.message ?? result.status}`)
    .join('; ')
}

function contribution ({ critical, result }: Outcome): HealthStatus {
  return result.status === 'unhealthy' && !critical ? 'degraded' : result.status
}

function worse (a: HealthStatus, b: HealthStatus): HealthStatus {
  return badness[a] >= badness[b] ? a : b
}

function better (a: HealthStatus, b: HealthStatus): HealthStatus {
  return badness[a] <= badness[b] ? a : b
}

import type { CheckResult, HealthReport } from './check.ts'
import type { Details } from './schemas.ts'

/** What may be told of a report. The same report always gives the same text. */
export function bodyOf (report: HealthReport, details: Details): object {
  if (details === 'full') return report
  if (details === false) return { status: report.status }
  const checks: Record<string, CheckResult> = Object.create(null)
  for (const [name, { status }] of Object.entries(report.checks)) checks[name] = { status }
  return { status: report.status, checks }
}

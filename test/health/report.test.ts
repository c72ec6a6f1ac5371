import t from 'tap'
import type { HealthStatus } from '../../lib/health/check.ts'
import { bestStatus, failuresOf, type Outcome, overallStatus, reportOf } from '../../lib/health/report.ts'

function outcome (status: HealthStatus, critical = true, name = 'a', message?: string): Outcome {
  return { name, critical, result: message === undefined ? { status } : { status, message } }
}

t.test('the whole is as bad as its worst check, except that one that is not critical makes it degraded', async t => {
  const table: Array<[Outcome[], HealthStatus]> = [
    [[], 'healthy'],
    [[outcome('healthy'), outcome('healthy', false)], 'healthy'],
    [[outcome('healthy'), outcome('degraded')], 'degraded'],
    [[outcome('healthy'), outcome('unhealthy', false)], 'degraded'],
    [[outcome('unhealthy'), outcome('degraded', false), outcome('healthy')], 'unhealthy'],
    [[outcome('unhealthy', false), outcome('unhealthy', false)], 'degraded']
  ]
  for (const [outcomes, status] of table) t.equal(overallStatus(outcomes), status)
})

t.test('the best of several', async t => {
  t.equal(bestStatus([outcome('unhealthy'), outcome('degraded')]), 'degraded')
  t.equal(bestStatus([outcome('unhealthy'), outcome('healthy', false)]), 'healthy')
  t.equal(bestStatus([outcome('unhealthy', false)]), 'unhealthy')
})

t.test('a report is frozen to its ground and takes any name', async t => {
  const names = ['database', '__proto__', 'constructor', 'hasOwnProperty', '7']
  const report = reportOf(names.map(name => outcome('healthy', true, name)))
  t.same(Object.keys(report.checks).sort(), [...names].sort())
  t.equal(Object.getPrototypeOf(report.checks), null)
  for (const part of [report, report.checks, ...Object.values(report.checks)]) t.ok(Object.isFrozen(part))
})

t.test('failures are told by name and message', async t => {
  const outcomes = [outcome('healthy'), outcome('degraded', true, 'b'), outcome('unhealthy', false, 'c', 'gone')]
  t.equal(failuresOf(outcomes), 'b: degraded; c: gone')
})

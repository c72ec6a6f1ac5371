import { access } from 'node:fs'
import t from 'tap'
import { systemClock } from '../../lib/clock.ts'
import type { HealthStatus, LimitedCheck } from '../../lib/health/check.ts'
import { bestStatus, failuresOf, type Outcome, overallStatus, reportOf } from '../../lib/health/report.ts'
import { messageOf, resultOf } from '../../lib/health/result.ts'
import { CheckRunner } from '../../lib/health/runner.ts'
import { ManualClock } from '../support/manual-clock.ts'

// lib/health/runner.ts

const never = new AbortController().signal

function setUp (check: Partial<LimitedCheck>): { runner: CheckRunner, clock: ManualClock } {
  return { runner: new CheckRunner({ name: 'a', run: () => undefined, ...check }), clock: new ManualClock() }
}

t.test('a check that settles leaves no timer', async t => {
  const { runner, clock } = setUp({ run: async () => 'degraded' })
  const outcome = await runner.run({ timeout: 800, clock }, never)
  t.same(outcome, { name: 'a', critical: true, result: { status: 'degraded' } })
  t.equal(clock.pending.length, 0)
})

t.test('a check that throws, at once or later, anything at all, is unhealthy', async t => {
  const runs: Array<[() => unknown, string]> = [
    [() => { throw new Error('at once') }, 'at once'],
    [async () => { throw new Error('later') }, 'later'],
    [() => Promise.reject(undefined), 'failed without a reason'], // eslint-disable-line prefer-promise-reject-errors
    [() => ({ get then (): unknown { throw new Error('trap in then') } }), 'trap in then'],
    [() => ({ get status (): unknown { throw new Error('trap in status') } }), 'trap in status']
  ]
  for (const [run, message] of runs) {
    const { runner, clock } = setUp({ run })
    const { result } = await runner.run({ timeout: 800, clock }, never)
    t.same(result, { status: 'unhealthy', message })
    t.equal(clock.pending.length, 0)
  }
})

t.test('at its limit a check has failed and its signal aborts with the reason', async t => {
  let given: AbortSignal | undefined
  const { runner, clock } = setUp({
    timeout: '1.5s',
    run: signal => {
      given = signal
      return new Promise(() => {})
    }
  })
  const running = runner.run({ timeout: 800, clock }, never)
  clock.advance(1499)
  t.equal(given?.aborted, false)
  clock.advance(1)
  t.same((await running).result, { status: 'unhealthy', message: 'did not settle within 1500 ms' })
  t.equal(given?.reason.code, 'FST_CONSUL_CHECK_TIMEOUT')
  t.equal(given?.reason.message, 'The health check a did not settle within 1500 ms')
})

t.test('an answer that came in time counts, though this process stood still when the limit was over', async t => {
  const { runner } = setUp({
    timeout: 50,
    run: () => new Promise(resolve => {
      access('.', () => resolve('healthy'))
      const end = performance.now() + 200
      while (performance.now() < end);
    })
  })
  const { result } = await runner.run({ timeout: 800, clock: systemClock }, never)
  t.same(result, { status: 'healthy' })
})

t.test('a check whose last run has not settled is not started again and counts as failed', async t => {
  let started = 0
  let settle = (): void => {}
  const { runner, clock } = setUp({
    run: () => {
      started++
      return new Promise<void>(resolve => { settle = resolve })
    }
  })
  const limits = { timeout: 800, clock }
  const first = runner.run(limits, never)
  clock.advance(800)
  await first
  t.same((await runner.run(limits, never)).result, { status: 'unhealthy', message: 'its last run has not settled' })
  t.equal(started, 1)
  settle()
  await first
  const second = runner.run(limits, never)
  t.equal(started, 2)
  settle()
  t.same((await second).result, { status: 'healthy' })
})

t.test('a late failure of a check that was given up disturbs nobody', async t => {
  let fail = (_error: Error): void => {}
  const { runner, clock } = setUp({ run: () => new Promise<void>((_resolve, reject) => { fail = reject }) })
  const running = runner.run({ timeout: 800, clock }, never)
  clock.advance(800)
  fail(new Error('late'))
  t.match((await running).result.message, 'did not settle')
})

t.test('the signal from outside ends a check with its reason, also one that has aborted before', async t => {
  const outside = new AbortController()
  let given: AbortSignal | undefined
  const { runner, clock } = setUp({
    run: signal => {
      given = signal
      return new Promise(() => {})
    }
  })
  const running = runner.run({ timeout: 800, clock }, outside.signal)
  outside.abort(new Error('enough'))
  t.same((await running).result, { status: 'unhealthy', message: 'enough' })
  t.equal(given?.reason, outside.signal.reason)
  t.equal(clock.pending.length, 0)

  const fresh = setUp({ run: () => t.fail('must not start') })
  const { result } = await fresh.runner.run({ timeout: 800, clock: fresh.clock }, outside.signal)
  t.same(result, { status: 'unhealthy', message: 'enough' })
})

t.test('what is no check is refused', async t => {
  const run = (): void => {}
  const table: Array<[unknown, RegExp]> = [
    [undefined, /A health check must be an object/],
    [async () => {}, /A health check must be an object with a name and run\(\), got a function$/],
    [{ name: '', run }, /name of a health check must be a string that is not empty .*, got ''$/],
    [{ name: 'a\nb', run }, /name of a health check must be .* no control characters, got 'a\\nb'$/],
    [{ name: 7, run }, /name of a health check must be a string .*, got 7$/],
    [{ name: 'a' }, /run of the health check a must be a function, got undefined/],
    [{ name: 'a', run, critical: 'no' }, /critical of the health check a must be a boolean, got 'no'$/],
    [{ name: 'a', run, timeout: '1d' }, /timeout of the health check a must be a duration above 0 .*, got '1d'$/],
    [{ name: 'a', run, timeout: Object.create(null) }, /above 0 .*, got an object$/],
    [{ name: 'a', run, timeout: 0 }, /must be a duration above 0/],
    [{ name: 'a', run, timeout: '600h' }, /below 25 days/]
  ]
  for (const [check, message] of table) {
    t.throws(() => new CheckRunner(check as LimitedCheck), { code: 'FST_CONSUL_INVALID_OPTION', message })
  }
})

// lib/health/result.ts

t.test('a check that resolves to nothing, to true or to an answer without a status is healthy', async t => {
  for (const value of [undefined, null, true, {}, [], { rows: [{ one: 1 }] }, new Date(0)]) {
    t.same(resultOf(value), { status: 'healthy' }, String(value))
  }
})

t.test('a status is taken at its word, alone or with a message', async t => {
  t.same(resultOf('healthy'), { status: 'healthy' })
  t.same(resultOf('degraded'), { status: 'degraded' })
  t.same(resultOf('unhealthy'), { status: 'unhealthy' })
  t.same(resultOf({ status: 'degraded', message: 'lags by 3 s' }), { status: 'degraded', message: 'lags by 3 s' })
  t.same(resultOf({ status: 'degraded', message: 3, checks: {} }), { status: 'degraded' })
})

t.test('what may have been meant as a status and is none is unhealthy, and says what came', async t => {
  const values: Array<[unknown, string]> = [
    [false, 'false'], [0, '0'], ['', '""'], ['Healthy', '"Healthy"'], [1n, '1'], [Symbol('x'), 'Symbol(x)'],
    [{ status: 'ok' }, '"ok"'], [new Response(null, { status: 500 }), '500'], [{ status: undefined }, 'undefined'],
    [Object.create({ status: null }), 'null']
  ]
  for (const [value, shown] of values) {
    const message = `resolved to ${shown}, which is none of healthy, degraded and unhealthy`
    t.same(resultOf(value), { status: 'unhealthy', message })
  }
  t.match(resultOf(() => true), { status: 'unhealthy', message: /resolved to \(\) ?=> ?true/ })
})

t.test('whatever is thrown has a text', async t => {
  t.equal(messageOf(new Error('no')), 'no')
  t.equal(messageOf('no'), 'no')
  t.equal(messageOf(undefined), 'failed without a reason')
  t.equal(messageOf(null), 'failed without a reason')
  t.equal(messageOf(7), '7')
  t.equal(messageOf({ message: 'from another realm' }), 'from another realm')
  t.equal(messageOf({ code: 'ECONNREFUSED', message: '' }), 'ECONNREFUSED')
  t.equal(messageOf(new AggregateError([new Error('a'), 'b'])), 'a; b')
  t.equal(messageOf({}), '[object Object]')
  t.equal(messageOf(new Error('x'.repeat(600))), 'x'.repeat(500) + '…')
})

t.test('an error that cannot be read has a text too', async t => {
  const text = 'failed with an error that cannot be read'
  t.equal(messageOf({ get message (): string { throw new Error('trap') } }), text)
  t.equal(messageOf(Object.create(null)), text)
  t.equal(messageOf(new Proxy({}, { has () { throw new Error('trap') } })), text)
})

// lib/health/report.ts

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

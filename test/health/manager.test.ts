import t from 'tap'
import type { HealthCheck, HealthStatus } from '../../lib/health/check.ts'
import { allOf } from '../../lib/health/combine.ts'
import { HealthCheckManager } from '../../lib/health/manager.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { startScript } from '../support/process.ts'
import { collectingLogger } from './collecting-logger.ts'

// lib/health/manager.ts

t.test('without checks everything is healthy', async t => {
  const report = await new HealthCheckManager().check()
  t.same(report, { status: 'healthy', checks: {} })
})

t.test('the report names every check, whatever it is called', async t => {
  const manager = new HealthCheckManager()
  const names = ['database', '__proto__', 'constructor', 'toString', 'a b/ü']
  for (const name of names) manager.add({ name, run: () => undefined })
  const { status, checks } = await manager.check()
  t.equal(status, 'healthy')
  t.same(Object.keys(checks), names)
})

t.test('one failing check does not hide another', async t => {
  const manager = new HealthCheckManager()
  manager.add({ name: 'a', run: () => { throw new Error('no a') } })
  manager.add({ name: 'b', critical: false, run: async () => { throw new Error('no b') } })
  manager.add({ name: 'c', run: async () => 'degraded' })
  manager.add({ name: 'd', run: async () => {} })
  t.same(await manager.check(), {
    status: 'unhealthy',
    checks: {
      a: { status: 'unhealthy', message: 'no a' },
      b: { status: 'unhealthy', message: 'no b' },
      c: { status: 'degraded' },
      d: { status: 'healthy' }
    }
  })
})

t.test('a name used twice is an error, and the first check stays', async t => {
  const manager = new HealthCheckManager()
  manager.add({ name: 'constructor', run: () => undefined })
  t.throws(() => manager.add({ name: 'constructor', run: () => 'unhealthy' }), {
    code: 'FST_CONSUL_DUPLICATE_CHECK',
    message: 'A health check named constructor was added already: names must be unique'
  })
  t.equal((await manager.check()).status, 'healthy')
})

t.test('checks run together, each with its own limit', async t => {
  const clock = new ManualClock()
  const manager = new HealthCheckManager({ clock, timeout: '1s' })
  for (const [name, timeout] of [['a', undefined], ['b', 200], ['c', '2s']] as const) {
    manager.add({ name, timeout, run: () => new Promise(() => {}) })
  }
  const running = manager.check()
  t.equal(clock.pending.length, 3)
  clock.advance(200)
  t.equal(clock.pending.length, 2)
  clock.advance(800)
  t.equal(clock.pending.length, 1)
  clock.advance(1000)
  const { checks } = await running
  t.same(Object.values(checks).map(({ message }) => message),
    ['did not settle within 1000 ms', 'did not settle within 200 ms', 'did not settle within 2000 ms'])
})

t.test('one run serves all who call meanwhile, and its report serves for cacheFor', async t => {
  const clock = new ManualClock()
  const manager = new HealthCheckManager({ clock, cacheFor: '2s' })
  let runs = 0
  manager.add({ name: 'a', run: async () => { runs++ } })
  const [first, second] = await Promise.all([manager.check(), manager.check()])
  t.equal(first, second)
  t.equal(runs, 1)
  clock.advance(1999)
  t.equal(await manager.check(), first)
  clock.advance(1)
  t.not(await manager.check(), first)
  t.equal(runs, 2)
})

t.test('with cacheFor 0 every call runs the checks', async t => {
  const manager = new HealthCheckManager({ cacheFor: 0, clock: new ManualClock() })
  let runs = 0
  manager.add({ name: 'a', run: async () => { runs++ } })
  await manager.check()
  await manager.check()
  t.equal(runs, 2)
})

t.test('a check added while a report is kept counts at once', async t => {
  const manager = new HealthCheckManager()
  t.equal((await manager.check()).status, 'healthy')
  manager.add({ name: 'late', run: () => 'degraded' })
  t.equal((await manager.check()).status, 'degraded')
})

t.test('a check added during a run is in its report', async t => {
  const manager = new HealthCheckManager()
  let release = (): void => {}
  manager.add({ name: 'slow', run: () => new Promise<void>(resolve => { release = resolve }) })
  const running = manager.check()
  manager.add({ name: 'late', run: () => { release() } })
  release()
  t.same(Object.keys((await running).checks), ['slow', 'late'])
})

t.test('a change of a check is one line, a run is none', async t => {
  const { logger, lines } = collectingLogger()
  const manager = new HealthCheckManager({ cacheFor: 0, logger })
  let database: HealthStatus | Error = 'healthy'
  let cache: HealthStatus = 'healthy'
  manager.add({ name: 'database', run: () => { if (database instanceof Error) throw database; else return database } })
  manager.add({ name: 'cache', critical: false, run: () => cache })

  const steps: Array<[HealthStatus | Error, HealthStatus]> = [
    ['healthy', 'healthy'],
    [new Error('connect ECONNREFUSED 10.0.0.1:5432'), 'healthy'],
    [new Error('connect ECONNREFUSED 10.0.0.1:5432'), 'unhealthy'],
    ['healthy', 'unhealthy'],
    ['healthy', 'healthy']
  ]
  for (const step of steps) {
    [database, cache] = step
    await manager.check()
    await manager.check()
  }
  t.same(lines, [
    {
      level: 'warn',
      details: { status: 'unhealthy', previous: 'healthy' },
      message: 'Health is unhealthy: database: connect ECONNREFUSED 10.0.0.1:5432'
    },
    {
      level: 'warn',
      details: { status: 'unhealthy', previous: 'unhealthy' },
      message: 'Health is unhealthy: database: connect ECONNREFUSED 10.0.0.1:5432; cache: unhealthy'
    },
    {
      level: 'warn',
      details: { status: 'degraded', previous: 'unhealthy' },
      message: 'Health is degraded: cache: unhealthy'
    },
    { level: 'info', details: { status: 'healthy', previous: 'degraded' }, message: 'Health is healthy again' }
  ])
})

t.test('many checks at a time, also as parts of one, are no reason for a warning', async t => {
  const warnings: Error[] = []
  // What else is warned of at such a time, as of a deprecated function in a test's loader, comes from elsewhere.
  const onWarning = (warning: Error): void => { if (warning.name.startsWith('MaxListeners')) warnings.push(warning) }
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const many = (name: string): HealthCheck[] =>
    Array.from({ length: 20 }, (_, i) => ({ name: `${name}-${i}`, run: async () => {} }))
  const manager = new HealthCheckManager()
  for (const check of [...many('check'), allOf('all', many('part'))]) manager.add(check)
  t.equal((await manager.check()).status, 'healthy')
  await new Promise(resolve => { setImmediate(resolve) }) // A warning is told in the next tick.
  t.same(warnings, [])
})

t.test('a run is told of with its time, and one that hangs once, however often it is asked for', async t => {
  const clock = new ManualClock()
  const runs: Array<[HealthStatus, number]> = []
  const manager = new HealthCheckManager({ clock, cacheFor: 0 }, (_, status, ms) => runs.push([status, ms]))
  let settle = (): void => {}
  manager.add({ name: 'slow', run: () => new Promise<void>(resolve => { settle = resolve }) })
  const first = manager.check()
  clock.advance(800)
  await first
  for (let time = 0; time < 3; time++) t.equal((await manager.check()).status, 'unhealthy')
  t.same(runs, [['unhealthy', 800]])
  settle()
  await new Promise(resolve => { setImmediate(resolve) })
  const second = manager.check()
  clock.advance(30)
  settle()
  await second
  t.same(runs, [['unhealthy', 800], ['healthy', 30]])
})

t.test('close aborts what runs, without a line, and ends the checks for good', async t => {
  const { logger, lines } = collectingLogger()
  const manager = new HealthCheckManager({ logger })
  let aborted = false
  manager.add({
    name: 'hung',
    run: signal => new Promise(() => { signal.addEventListener('abort', () => { aborted = true }) })
  })
  const running = manager.check()
  manager.close()
  t.equal((await running).status, 'unhealthy')
  t.equal(aborted, true)
  await t.rejects(manager.check(), { code: 'FST_CONSUL_CLOSED', message: 'health.check() was called after close()' })
  manager.close()
  t.same(lines, [])
})

t.test('options that cannot be used are refused', async t => {
  const code = 'FST_CONSUL_INVALID_OPTION'
  t.throws(() => new HealthCheckManager({ timeout: -1 }), { code, message: /health\.timeout .*, got -1/ })
  t.throws(() => new HealthCheckManager({ timeout: '1d' }), { code, message: /health\.timeout .*, got '1d'/ })
  t.throws(() => new HealthCheckManager({ cacheFor: 'soon' }), { code, message: /health\.cacheFor .*, got 'soon'/ })
  t.throws(() => new HealthCheckManager({ cacheFor: Object.create(null) }), { code, message: /got an object$/ })
})

// Process end

t.test('after close nothing keeps the process alive: no measurement, no limit, no hung check', async t => {
  const script = await startScript(t, new URL('process-end.ts', import.meta.url))
  await script.line(/^closed$/)
  const closed = performance.now()
  t.same(await script.ended, { code: 0, signal: null })
  t.ok(performance.now() - closed < 10_000, 'it ends at once')
})

import t from 'tap'
import type { HealthCheck, HealthStatus } from '../../lib/health/check.ts'
import { allOf, anyOf, optional } from '../../lib/health/combine.ts'
import { HealthCheckManager } from '../../lib/health/manager.ts'
import { ManualClock } from '../support/manual-clock.ts'

const never = new AbortController().signal

function check (name: string, status: HealthStatus, critical = true): HealthCheck {
  return { name, critical, run: async () => ({ status, message: `${name} says ${status}` }) }
}

function hung (name: string, timeout?: number): HealthCheck & { started: number } {
  return {
    name,
    timeout,
    started: 0,
    run () {
      this.started++
      return new Promise(() => {})
    }
  }
}

t.test('allOf is as bad as the worst of its checks and says why', async t => {
  t.same(await allOf('all', [check('a', 'healthy'), check('b', 'healthy')]).run(never), { status: 'healthy' })
  t.same(await allOf('all', [check('a', 'degraded'), check('b', 'unhealthy')]).run(never),
    { status: 'unhealthy', message: 'a: a says degraded; b: b says unhealthy' })
  t.match(await allOf('all', [check('a', 'healthy'), optional(check('b', 'unhealthy'))]).run(never),
    { status: 'degraded' })
})

t.test('anyOf is as good as the best of its checks', async t => {
  t.same(await anyOf('any', [check('a', 'unhealthy'), check('b', 'healthy')]).run(never), { status: 'healthy' })
  t.match(await anyOf('any', [check('a', 'unhealthy'), check('b', 'degraded')]).run(never), { status: 'degraded' })
  t.match(await anyOf('any', [check('a', 'unhealthy', false)]).run(never), { status: 'unhealthy' })
})

t.test('optional keeps everything but the weight', async t => {
  class Own implements HealthCheck {
    name = 'own'
    timeout = 50
    #status = 'degraded' as const
    run (): HealthStatus { return this.#status }
  }
  const made = optional(new Own())
  t.match(made, { name: 'own', timeout: 50, critical: false })
  t.equal(await made.run(never), 'degraded')
})

t.test('combined checks are critical or not, as a whole', async t => {
  const manager = new HealthCheckManager()
  manager.add(allOf('replicas', [check('a', 'unhealthy')], { critical: false }))
  t.match(await manager.check(), { status: 'degraded', checks: { replicas: { status: 'unhealthy' } } })
})

t.test('every part keeps its own limit, the manager\'s if it has none, however deep', async t => {
  const clock = new ManualClock()
  const manager = new HealthCheckManager({ clock, timeout: 800 })
  manager.add(allOf('all', [hung('slow', 3000), optional(anyOf('any', [hung('usual')]))]))
  const running = manager.check()
  t.equal(clock.pending.length, 2)
  clock.advance(800)
  t.equal(clock.pending.length, 1)
  clock.advance(2200)
  t.match(await running, {
    checks: {
      all: { message: 'slow: did not settle within 3000 ms; any: usual: did not settle within 800 ms' }
    }
  })
})

t.test('a limit of the whole aborts the parts', async t => {
  const clock = new ManualClock()
  const manager = new HealthCheckManager({ clock })
  let signalOfPart: AbortSignal | undefined
  const part: HealthCheck = {
    name: 'part',
    run: signal => {
      signalOfPart = signal
      return new Promise(() => {})
    }
  }
  manager.add(allOf('all', [part], { timeout: 100 }))
  const running = manager.check()
  clock.advance(100)
  t.match(await running, { checks: { all: { message: 'did not settle within 100 ms' } } })
  t.equal(signalOfPart?.reason.code, 'FST_CONSUL_CHECK_TIMEOUT')
  t.equal(clock.pending.length, 0)
})

t.test('a hung part is not started again', async t => {
  const clock = new ManualClock()
  const part = hung('part')
  const manager = new HealthCheckManager({ clock, cacheFor: 0 })
  manager.add(anyOf('any', [part]))
  for (let run = 0; run < 3; run++) {
    const running = manager.check()
    clock.advance(800)
    t.equal((await running).status, 'unhealthy')
  }
  t.equal(part.started, 1)
})

t.test('nothing to combine is an error', async t => {
  const code = 'FST_CONSUL_INVALID_OPTION'
  const message = /checks of the health check none must be a list of at least one check, got an empty one$/
  t.throws(() => allOf('none', []), { code, message })
  t.throws(() => anyOf('none', undefined as unknown as HealthCheck[]), { code, message: /got undefined$/ })
  t.throws(() => optional(undefined as unknown as HealthCheck), { code, message: /A health check must be/ })
  t.throws(() => optional({ name: 'a' } as HealthCheck), { code, message: /run of the health check a must be/ })
  t.throws(() => anyOf('bad', [{ name: 'a' } as unknown as HealthCheck]), { code })
})

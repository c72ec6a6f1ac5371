import t from 'tap'
import { Connectivity } from '../../lib/consul/connectivity.ts'
import { FirstCalls } from '../../lib/discovery/first-calls.ts'
import { ServiceView } from '../../lib/discovery/view.ts'
import { ApiUnreachableError } from '../../lib/errors.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { ManualClock } from '../support/manual-clock.ts'
import type { Teardown } from '../support/teardown.ts'
import { until } from '../support/wait.ts'

const away = new ApiUnreachableError('GET it', 'away')

function start (t: Teardown, ask: (view: ServiceView, timeout: number) => Promise<void>) {
  const clock = new ManualClock()
  const { logger } = collectingLogger()
  let isAway = false
  const probe = async () => { if (isAway) throw away }
  const connectivity = new Connectivity({ probe, logger, clock, random: () => 0.5 })
  t.teardown(() => connectivity.close())
  const closed = new AbortController()
  const firstCalls = new FirstCalls({ ask, timeout: 5000, connectivity, clock, closed: closed.signal })
  const lose = async () => {
    isAway = true
    connectivity.report(away)
    await until(() => {
      clock.advance(10)
      return !connectivity.up
    })
  }
  return { clock, firstCalls, closed, connectivity, lose, comeBack: () => { isAway = false } }
}

const viewOf = (name: string) => new ServiceView({ name, datacenter: undefined, filter: undefined, near: undefined })

t.test('three questions are under way at a time, and each has the whole limit', async t => {
  const under: (() => void)[] = []
  const limits: number[] = []
  let most = 0
  let running = 0
  const { clock, firstCalls } = start(t, async (_, timeout) => {
    limits.push(timeout)
    most = Math.max(most, ++running)
    await new Promise<void>(resolve => { under.push(resolve) })
    running--
  })
  const calls = Array.from({ length: 20 }, (_, i) => firstCalls.askPatiently(viewOf(`s${i}`)))
  while (limits.length < 20) {
    await until(() => under.length > 0)
    clock.advance(4000)
    for (const end of under.splice(0)) end()
  }
  await until(() => under.splice(0).every(end => end() === undefined) && running === 0)
  await Promise.all(calls)
  t.equal(most, 3)
  t.same(limits, Array(20).fill(5000))
})

t.test('an agent that is away is waited for as long as the limit says, and is then asked once more', async t => {
  const asked: number[] = []
  const { clock, firstCalls, connectivity, lose, comeBack } = start(t, async (_, timeout) => { asked.push(timeout) })
  await lose()
  const early = firstCalls.askPatiently(viewOf('early'))
  clock.advance(4999)
  t.same(asked, [])
  clock.advance(1)
  await early
  t.same(asked, [], 'it did not come back')
  const late = firstCalls.askPatiently(viewOf('late'))
  clock.advance(1000)
  comeBack()
  await until(() => {
    clock.advance(10)
    return connectivity.up
  })
  await until(() => {
    clock.advance(10)
    return asked.length > 0
  })
  await late
  t.equal(asked.length, 1)
  t.ok(asked[0]! > 0 && asked[0]! <= 4000, 'within what is left of the limit')
})

t.test('who does not want to wait is not kept waiting', async t => {
  const { firstCalls, lose } = start(t, async () => { t.fail('nobody is asked') })
  await lose()
  await firstCalls.ask(viewOf('web'))
})

t.test('after close nobody waits or asks', async t => {
  const { clock, firstCalls, closed, lose } = start(t, async () => { t.fail('nobody is asked') })
  await lose()
  const call = firstCalls.askPatiently(viewOf('web'))
  closed.abort(new Error('closed'))
  await call
  await firstCalls.askPatiently(viewOf('db'))
  t.equal(clock.pending.some(due => due > 2000), false, 'and no limit is left over')
})

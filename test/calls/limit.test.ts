import t from 'tap'
import type { Clock } from '../../lib/clock.ts'
import { startLimit } from '../../lib/calls/limit.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** A clock whose timers fire late, as when the event loop stands still. */
function lateClock (clock: ManualClock, delay: number): Clock {
  return {
    now: () => clock.now(),
    after: (ms, callback) => clock.after(ms + delay, callback),
    sleep: (ms, signal) => clock.sleep(ms, signal)
  }
}

t.test('a limit is reached on time', async t => {
  const clock = new ManualClock()
  let reached = 0
  startLimit(clock, 100, () => reached++)
  clock.advance(99)
  t.equal(reached, 0)
  clock.advance(1)
  t.equal(reached, 1)
  t.same(clock.pending, [])
})

t.test('no limit is none', async t => {
  const clock = new ManualClock()
  const stop = startLimit(clock, 0, () => t.fail('reached'))
  t.same(clock.pending, [])
  stop()
})

t.test('what has arrived while the process stood still is read before the limit counts', async t => {
  const clock = new ManualClock()
  let reached = 0
  startLimit(lateClock(clock, 2000), 100, () => reached++)
  clock.advance(2100)
  t.equal(reached, 0)
  clock.advance(2020)
  t.equal(reached, 1)
})

t.test('ended, it is never reached, in the time of grace either', async t => {
  const clock = new ManualClock()
  const stop = startLimit(clock, 100, () => t.fail('reached'))
  stop()
  clock.advance(100)
  const stopLate = startLimit(lateClock(clock, 2000), 100, () => t.fail('reached'))
  clock.advance(2100)
  stopLate()
  clock.advance(10_000)
  t.same(clock.pending, [])
})

import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import t from 'tap'
import { abortable } from '../lib/abortable.ts'
import { Backoff } from '../lib/backoff.ts'
import { systemClock } from '../lib/clock.ts'
import { goDurationOf, parseDuration } from '../lib/duration.ts'
import { TokenBucket } from '../lib/token-bucket.ts'
import { ManualClock } from './support/manual-clock.ts'

// lib/clock.ts

t.test('the clock does not go backwards', async t => {
  const before = systemClock.now()
  t.ok(systemClock.now() >= before)
})

t.test('a sleep ends after its time', async t => {
  const before = systemClock.now()
  await systemClock.sleep(20, undefined, true)
  t.ok(systemClock.now() - before >= 19)
})

t.test('an aborted sleep rejects with the reason of its signal', async t => {
  const controller = new AbortController()
  const asleep = systemClock.sleep(60_000, controller.signal)
  const reason = new Error('enough')
  controller.abort(reason)
  await t.rejects(asleep, reason)
  await t.rejects(systemClock.sleep(0, controller.signal), reason, 'also if it was aborted before')
})

t.test('a timer fires once, and not if it was stopped', async t => {
  const fired: string[] = []
  const stop = systemClock.after(1, () => fired.push('stopped'))
  systemClock.after(1, () => fired.push('left'))
  stop()
  await systemClock.sleep(20, undefined, true)
  t.same(fired, ['left'])
})

t.test('a time that is past is now, and Node does not warn of it', async t => {
  const warnings: Error[] = []
  const listener = (warning: Error) => { warnings.push(warning) }
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  await systemClock.sleep(-5, undefined, true)
  systemClock.after(-5, () => {})
  await systemClock.sleep(20, undefined, true)
  t.same(warnings, [])
})

t.test('a time longer than Node can wait does not end at once', async t => {
  let fired = false
  const stop = systemClock.after(2 ** 40, () => { fired = true })
  const controller = new AbortController()
  const asleep = systemClock.sleep(2 ** 40, controller.signal).then(() => { fired = true }, () => {})
  await systemClock.sleep(20, undefined, true)
  t.notOk(fired)
  stop()
  controller.abort()
  await asleep
})

// lib/abortable.ts

t.test('without an abort the result is the promise\'s own, and no listener stays', async t => {
  const { signal } = new AbortController()
  t.equal(await abortable(Promise.resolve(7), signal), 7)
  await t.rejects(abortable(Promise.reject(new Error('own')), signal), { message: 'own' })
  await Promise.resolve()
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

t.test('an abort that comes first rejects with its reason', async t => {
  const controller = new AbortController()
  const waiting = abortable(new Promise(() => {}), controller.signal)
  controller.abort(new Error('enough'))
  await t.rejects(waiting, { message: 'enough' })
})

t.test('what was aborted before it began rejects, and the promise may fail unheard', async t => {
  const failing = new Promise((_resolve, reject) => setImmediate(reject, new Error('unheard')))
  await t.rejects(abortable(failing, AbortSignal.abort(new Error('enough'))), { message: 'enough' })
  await new Promise(setImmediate)
  await new Promise(setImmediate)
})

// lib/backoff.ts

const middle = () => 0.5

function delays (backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => backoff.next())
}

t.test('a delay is twice the one before, up to the largest', async t => {
  const backoff = new Backoff({ initial: 100, max: 1000, random: middle })
  t.same(delays(backoff, 6), [100, 200, 400, 800, 1000, 1000])
})

t.test('after a success it begins with the first delay again', async t => {
  const backoff = new Backoff({ initial: 100, max: 1000, random: middle })
  delays(backoff, 4)
  backoff.reset()
  t.same(delays(backoff, 2), [100, 200])
})

t.test('jitter makes a delay shorter or longer by up to its share', async t => {
  t.equal(new Backoff({ initial: 100, max: 1000, random: () => 0 }).next(), 50, 'half, if nothing is said')
  t.equal(Math.round(new Backoff({ initial: 100, max: 1000, random: () => 1 - 1e-9 }).next()), 150)
  t.equal(new Backoff({ initial: 100, max: 1000, jitter: 0.2, random: () => 0 }).next(), 80)
  t.equal(new Backoff({ initial: 100, max: 1000, jitter: 0, random: () => 0 }).next(), 100)
})

t.test('another factor lets delays grow faster', async t => {
  t.same(delays(new Backoff({ initial: 1, max: 50, factor: 10, random: middle }), 4), [1, 10, 50, 50])
})

t.test('whatever chance says, a delay is within half of what it would be without', async () => {
  const chance = fc.double({ min: 0, max: 0.999, noNaN: true })
  fc.assert(fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 100 }), fc.array(chance),
    (initial, times, chances) => {
      const rolls = [...chances]
      const backoff = new Backoff({ initial, max: initial * times, random: () => rolls.shift() ?? 0.5 })
      return chances.every((_, step) => {
        const plain = Math.min(initial * 2 ** step, initial * times)
        const delay = backoff.next()
        return delay >= plain * 0.5 && delay <= plain * 1.5
      })
    }), { seed: 1 })
})

// lib/token-bucket.ts

const never = new AbortController().signal

function bucketOf (burst: number, interval: number) {
  const clock = new ManualClock()
  const bucket = new TokenBucket({ burst, interval }, clock)
  let taken = 0
  const take = () => bucket.take(never).then(() => { taken++ })
  const settle = () => new Promise(setImmediate)
  return { clock, bucket, take, settle, taken: () => taken }
}

t.test('a burst passes at once, the rest one after each interval', async t => {
  const { clock, take, settle, taken } = bucketOf(3, 1000)
  for (let i = 0; i < 5; i++) take()
  await settle()
  t.equal(taken(), 3)
  clock.advance(999)
  await settle()
  t.equal(taken(), 3)
  clock.advance(1)
  await settle()
  t.equal(taken(), 4)
  clock.advance(1000)
  await settle()
  t.equal(taken(), 5)
})

t.test('what is not used is saved, but no more than a burst', async t => {
  const { clock, take, settle, taken } = bucketOf(2, 1000)
  clock.advance(60_000)
  for (let i = 0; i < 4; i++) take()
  await settle()
  t.equal(taken(), 2)
})

t.test('however many are wanted, there is one token for each interval', async t => {
  const { clock, take, settle, taken } = bucketOf(2, 100)
  for (let second = 0; second < 10; second++) {
    for (let i = 0; i < 30; i++) take()
    clock.advance(1000)
    await settle()
  }
  t.equal(taken(), 2 + 10 * 10)
})

t.test('an abort ends the waiting with its reason', async t => {
  const { clock, bucket } = bucketOf(1, 1000)
  const controller = new AbortController()
  await bucket.take(controller.signal)
  const waiting = bucket.take(controller.signal)
  controller.abort(new Error('enough'))
  await t.rejects(waiting, { message: 'enough' })
  await t.rejects(bucket.take(controller.signal), { message: 'enough' })
  t.same(clock.pending, [])
})

// lib/duration.ts

const durations: [unknown, number][] = [
  [0, 0],
  [250, 250],
  [0.5, 0.5],
  ['0', 0],
  ['250ms', 250],
  ['1s', 1000],
  ['1m30s', 90_000],
  ['2h', 7_200_000],
  ['1.5s', 1500],
  ['.5s', 500],
  ['1.s', 1000],
  ['1h1m1s1ms', 3_661_001],
  ['2000us', 2],
  ['2000µs', 2],
  ['2000μs', 2],
  ['3000000ns', 3]
]

for (const [written, milliseconds] of durations) {
  t.test(`${JSON.stringify(written)} is ${milliseconds} ms`, async t => {
    t.equal(parseDuration(written), milliseconds)
  })
}

const noDurations = [
  '', ' ', '1', '1.5', 's', '1d', '1w', '-1s', '+1s', '1s ', ' 1s', '1 s', '1s30', '1S', '1e3ms', '1,5s', '.s', 'ms1',
  -1, NaN, Infinity, null, undefined, true, {}, [], ['1s'], 1n
]

for (const value of noDurations) {
  const shown = typeof value === 'string' ? JSON.stringify(value) : `${typeof value} ${String(value)}`
  t.test(`${shown} is no duration`, async t => {
    t.equal(parseDuration(value), undefined)
  })
}

t.test('what is written for Consul reads as the same duration', async () => {
  fc.assert(fc.property(fc.nat(), ms => parseDuration(goDurationOf(ms)) === ms), { seed: 1 })
})

t.test('no text makes the parser throw', async () => {
  fc.assert(fc.property(fc.string(), text => {
    const duration = parseDuration(text)
    return duration === undefined || duration >= 0
  }), { seed: 1 })
})

import t from 'tap'
import { TokenBucket } from '../lib/token-bucket.ts'
import { ManualClock } from './support/manual-clock.ts'

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

import t from 'tap'
import { systemClock } from '../lib/clock.ts'

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

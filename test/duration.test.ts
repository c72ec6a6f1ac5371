import fc from 'fast-check'
import t from 'tap'
import { goDurationOf, parseDuration } from '../lib/duration.ts'

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

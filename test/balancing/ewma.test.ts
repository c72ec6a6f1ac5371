import t from 'tap'
import { Ewma, memory } from '../../lib/balancing/ewma.ts'

/** To the microsecond: exponents and logarithms differ in the last digits from machine to machine. */
const at = (ewma: Ewma, now: number): string => ewma.at(now).toFixed(3)

t.test('a higher latency counts at once, a lower one little by little', async t => {
  const ewma = new Ewma()
  ewma.add(100, 0)
  t.equal(at(ewma, 0), '100.000')
  ewma.add(300, 0)
  t.equal(at(ewma, 0), '300.000')
  ewma.add(50, memory)
  t.equal(at(ewma, memory), (300 / Math.E + 50 * (1 - 1 / Math.E)).toFixed(3))
})

t.test('it falls without new latencies too', async t => {
  const ewma = new Ewma()
  ewma.add(100, 1000)
  t.equal(at(ewma, 1000 + memory), (100 / Math.E).toFixed(3))
})

t.test('steady latencies stay what they are', async t => {
  const ewma = new Ewma()
  for (let now = 0; now <= 60_000; now += 10) ewma.add(20, now)
  t.equal(at(ewma, 60_000), '20.000')
})

t.test('two compare right at any moment, without the time', async t => {
  const [early, late] = [new Ewma(), new Ewma()]
  early.add(100, 0)
  late.add(30, memory)
  t.ok(early.level > late.level, '37 against 30')
  late.add(40, memory)
  t.ok(early.level < late.level, '37 against 40')
})

t.test('nothing overflows in years', async t => {
  const ewma = new Ewma()
  const tenYears = 10 * 365 * 86_400_000
  for (const now of [0, tenYears, tenYears + 10]) ewma.add(20, now)
  t.equal(ewma.at(tenYears + 10).toFixed(2), '20.00')
})

t.test('a latency that is known to be longer than that only raises it', async t => {
  const ewma = new Ewma()
  ewma.addAtLeast(100, 0)
  ewma.addAtLeast(50, 0)
  t.equal(at(ewma, 0), '100.000')
})

t.test('nothing is known of what was forgotten', async t => {
  const ewma = new Ewma()
  t.equal(ewma.isKnown, false)
  ewma.add(0, 0)
  t.equal(ewma.isKnown, true, 'a latency of 0 is one')
  ewma.forget()
  t.equal(ewma.isKnown, false)
  t.equal(ewma.at(0), 0)
})

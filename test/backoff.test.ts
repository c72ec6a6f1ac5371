import fc from 'fast-check'
import t from 'tap'
import { Backoff } from '../lib/backoff.ts'

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

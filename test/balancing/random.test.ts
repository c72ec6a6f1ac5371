import t from 'tap'
import { WeightedRandom } from '../../lib/balancing/random.ts'
import { context, endpoints, idOf, seeded, tally } from './helpers.ts'

t.test('each endpoint is picked in proportion to its weight', async t => {
  const weights: Record<string, number> = { a: 1, b: 0.1, c: 5, d: 2.5, e: 1 }
  const list = endpoints(weights)
  const strategy = new WeightedRandom(seeded(1))
  const rounds = 96_000
  const counts = tally(Array.from({ length: rounds }, () => idOf(strategy.pick(list, context()))))
  for (const [id, weight] of Object.entries(weights)) {
    const share = (counts[id] ?? 0) / rounds
    t.equal(Math.abs(share - weight / 9.6) < 0.005, true, `${id} has ${share}, of ${weight / 9.6}`)
  }
})

t.test('what is left after a failure is picked in proportion too', async t => {
  const list = endpoints({ a: 100, b: 1, c: 3 })
  const strategy = new WeightedRandom(seeded(2))
  const counts = tally(Array.from({ length: 10_000 }, () => idOf(strategy.pick(list, context(list.slice(0, 1))))))
  t.equal(counts.a, undefined)
  t.equal(Math.abs((counts.c ?? 0) / 10_000 - 0.75) < 0.02, true)
})

t.test('the extremes of the random source pick one of the list', async t => {
  const list = endpoints({ a: 1, b: 3 })
  for (const value of [0, 1 - 2 ** -53]) {
    const strategy = new WeightedRandom(() => value)
    t.ok(strategy.pick(list, context()))
    t.equal(strategy.pick(list, context(list.slice(0, 1))), list[1])
  }
})

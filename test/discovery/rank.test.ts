import t from 'tap'
import { heatAfter, hottestFirst, takeovers } from '../../lib/discovery/rank.ts'
import { seeded } from '../balancing/helpers.ts'

const of = (...heats: number[]) => heats.map(heat => ({ heat }))

t.test('a call counts half after 30 s', async t => {
  t.equal(heatAfter(0, 8, 5000), 8)
  t.equal(heatAfter(8, 0, 30_000), 4)
  t.equal(heatAfter(8, 3, 60_000), 5)
})

t.test('the hottest come first', async t => {
  t.same(hottestFirst(of(1, 3, 2)), of(3, 2, 1))
})

t.test('who is called more than twice as often takes the watch of the one that is called least', async t => {
  t.same(takeovers(of(100, 5), of(4, 26)), [of(26, 5)])
  t.same(takeovers(of(0, 0), of(30, 40, 50)), [of(50, 0), of(40, 0)], 'only as many as there are')
})

t.test('who is called a little more does not', async t => {
  t.same(takeovers(of(100, 50), of(109, 99)), [])
  t.same(takeovers(of(0, 0), of(9, 9)), [], 'nor for a few calls')
  t.same(takeovers(of(), of(100)), [])
})

/** Virtual time: services with so many calls a second each, looked at every 5 s for as many seconds. */
function simulate (rates: readonly number[], watches: number, seconds: number) {
  const random = seeded(1)
  let watched = rates.map((rate, id) => ({ id, rate, heat: 0 }))
  let polled = watched.splice(watches)
  let moves = 0
  for (let at = 0; at < seconds; at += 5) {
    for (const each of [...watched, ...polled]) each.heat = heatAfter(each.heat, poisson(each.rate * 5, random), 5000)
    for (const [hot, cold] of takeovers(watched, polled)) {
      moves++
      watched = watched.map(each => each === cold ? hot : each)
      polled = polled.map(each => each === hot ? cold : each)
    }
  }
  return { moves, watched: watched.map(({ id }) => id) }
}

function poisson (mean: number, random: () => number): number {
  let count = 0
  for (let left = Math.exp(-mean), product = random(); product > left; product *= random()) count++
  return count
}

for (const rate of [0.01, 0.1, 0.5, 3]) {
  t.test(`a thousand services called alike, ${rate} times a second, keep their watches for an hour`, async t => {
    const { moves } = simulate(Array<number>(1000).fill(rate), 64, 3600)
    t.ok(moves <= 10, `${moves} moves`)
  })
}

t.test('the most called ones have the watches within a minute, and then nothing moves any longer', async t => {
  const rates = Array.from({ length: 1000 }, (_, id) => id >= 936 ? 5 : 0.1)
  const early = simulate(rates, 64, 60)
  t.same(early.watched.toSorted((a, b) => a - b), Array.from({ length: 64 }, (_, i) => 936 + i))
  t.equal(simulate(rates, 64, 3600).moves, early.moves)
})

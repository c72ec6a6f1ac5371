import { assert, array, double, integer, property } from 'fast-check'
import t from 'tap'
import type { Endpoint } from '../../lib/balancing/endpoint.ts'
import { RoundRobin } from '../../lib/balancing/round-robin.ts'
import { context, endpointOf, endpoints, idOf, instance, seeded, tally } from './helpers.ts'

function picks (strategy: RoundRobin, list: readonly Endpoint[], count: number): string[] {
  return Array.from({ length: count }, () => idOf(strategy.pick(list, context())))
}

t.test('with equal weights every n picks in a row hold each endpoint once', async () => {
  assert(property(integer({ min: 1, max: 40 }), double({ min: 0.01, max: 100, noNaN: true }), integer(),
    (size, weight, seed) => {
      const weights = Object.fromEntries(Array.from({ length: size }, (_, index) => [`i${index}`, weight]))
      const made = picks(new RoundRobin(seeded(seed)), endpoints(weights), size * 4)
      return Array.from({ length: size * 3 }, (_, from) => new Set(made.slice(from, from + size)).size === size)
        .every(Boolean)
    }), { seed: 1 })
})

t.test('that holds over millions of picks, beyond where turns are moved back', async t => {
  const list = endpoints({ a: 3, b: 3, c: 3 })
  const strategy = new RoundRobin(seeded(1))
  const first = picks(strategy, list, 3)
  for (let pick = 0; pick < 3 * 2 ** 20; pick++) strategy.pick(list, context())
  t.same(picks(strategy, list, 3), first, 'the same order still')
})

t.test('with unequal weights each gets its share, to the pick', async t => {
  t.same(tally(picks(new RoundRobin(seeded(1)), endpoints({ a: 1, b: 1, c: 0.1 }), 2100)), { a: 1000, b: 1000, c: 100 })
  t.same(tally(picks(new RoundRobin(seeded(2)), endpoints({ a: 5, b: 1, c: 1 }), 700)), { a: 500, b: 100, c: 100 })
})

t.test('after any number of picks nobody is further from its share than one turn of everyone', async () => {
  const weight = double({ min: 0.05, max: 20, noNaN: true })
  assert(property(array(weight, { minLength: 2, maxLength: 10 }), integer(), (weights, seed) => {
    const list = endpoints(Object.fromEntries(weights.map((weight, index) => [`i${index}`, weight])))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    const counts = tally(picks(new RoundRobin(seeded(seed)), list, 300))
    return weights.every((weight, index) => {
      const share = weight / total
      return Math.abs((counts[`i${index}`] ?? 0) - 300 * share) <= 1 + weights.length * share
    })
  }), { seed: 1 })
})

t.test('a heavy endpoint is spread between the light ones', async t => {
  const light = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`light${index}`, 1]))
  const made = picks(new RoundRobin(seeded(3)), endpoints({ heavy: 10, ...light }), 200).join(' ')
  t.notMatch(made, /heavy heavy heavy/)
  t.notMatch(made, /(light\d ){3}/)
})

t.test('processes that start together start at different endpoints', async t => {
  const list = endpoints({ a: 1, b: 1, c: 1, d: 1 })
  const starts = Array.from({ length: 40 }, (_, seed) => picks(new RoundRobin(seeded(seed)), list, 1)[0])
  t.equal(new Set(starts).size, 4)
})

t.test('an endpoint that joins or leaves does not move the turns of the others', async t => {
  const all = endpoints({ a: 1, b: 1, c: 1, d: 1 })
  const strategy = new RoundRobin(seeded(4))
  const order = picks(strategy, all, 4)
  const [next, afterNext, then, last] = order as [string, string, string, string]
  t.same(picks(strategy, all, 1), [next])
  const without = all.filter(endpoint => idOf(endpoint) !== then)
  t.same(picks(strategy, without, 3), [afterNext, last, next])
  const joined = [endpointOf(instance({ id: 'new' })), ...without]
  t.same(picks(strategy, joined, 4).filter(id => id !== 'new'), [afterNext, last, next])
})

t.test('a list that changes all the time starves nobody', async t => {
  const list = endpoints({ a: 1, b: 1, c: 0.1 })
  const strategy = new RoundRobin(seeded(5))
  const made = Array.from({ length: 2100 }, () => idOf(strategy.pick([...list], context())))
  t.same(tally(made), { a: 1000, b: 1000, c: 100 })
})

t.test('a change of weight counts from the next turn on', async t => {
  const list = endpoints({ a: 1, b: 1 })
  const strategy = new RoundRobin(seeded(6))
  picks(strategy, list, 10)
  const [a] = list as [Endpoint, Endpoint]
  a.refresh(instance({ id: 'a', status: 'warning' }), 0)
  t.same(tally(picks(strategy, [...list], 110)), { a: 10, b: 100 })
})

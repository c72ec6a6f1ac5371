import t from 'tap'
import { ConsistentHash } from '../../lib/balancing/consistent-hash.ts'
import type { Endpoint } from '../../lib/balancing/endpoint.ts'
import { hashOf, mix } from '../../lib/balancing/hash.ts'
import { context, endpointOf, endpoints, idOf, instance, tally } from './helpers.ts'

const keys = Array.from({ length: 10_000 }, (_, index) => `user-${index}`)
const some = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`svc-host${index}-80`, 1]))

/** Whom every key belongs to. */
function ownersIn (list: readonly Endpoint[]): string[] {
  const strategy = new ConsistentHash()
  return keys.map(key => idOf(strategy.pick(list, context([], key))))
}

t.test('a key goes to the same instance always, from every client, whatever the order of the list', async t => {
  const list = endpoints(some(10))
  const owners = ownersIn(list)
  t.same(ownersIn(list), owners)
  t.same(ownersIn(list.toReversed()), owners)
})

t.test('the instance that a key goes to is the same in every version and on every machine', async t => {
  t.same(tally(ownersIn(endpoints({ a: 1, b: 1, c: 1 }))), { c: 3462, a: 3315, b: 3223 })
})

t.test('keys spread evenly, by weight', async t => {
  for (const [id, count] of Object.entries(tally(ownersIn(endpoints(some(10)))))) {
    t.equal(Math.abs(count - 1000) < 200, true, `${count} for ${id}`)
  }
  const { heavy = 0, light = 0 } = tally(ownersIn(endpoints({ heavy: 3, light: 1, other: 4 })))
  t.equal(heavy / light > 2.2 && heavy / light < 3.9, true, `${heavy} and ${light}`)
})

t.test('when an instance leaves, its keys move and no others; when it is back, so are they', async t => {
  const list = endpoints(some(10))
  const before = ownersIn(list)
  const left = list[3]
  const after = ownersIn(list.filter(endpoint => endpoint !== left))
  t.same(after.filter((owner, index) => owner !== before[index]).length, before.filter(id => id === idOf(left)).length)
  t.equal(after.every((owner, index) => owner === before[index] || before[index] === idOf(left)), true)
  const elsewhere = endpointOf(instance({ id: idOf(left), address: '10.0.0.9', port: 1, node: 'another' }))
  t.same(ownersIn(list.map(endpoint => endpoint === left ? elsewhere : endpoint)), before)
})

t.test('less weight moves keys away from the one instance only', async t => {
  const before = ownersIn(endpoints({ a: 1, b: 1, c: 1 }))
  const after = ownersIn(endpoints({ a: 1, b: 0.1, c: 1 }))
  t.equal(after.every((owner, index) => owner === before[index] || before[index] === 'b'), true)
  t.equal((tally(after).b ?? 0) < 800, true)
})

t.test('when the heaviest one weighs more or less, leaves or joins, keys move from or to that one only', async t => {
  const weights = { a: 1, b: 1, c: 0.5 }
  const before = ownersIn(endpoints(weights))
  const moved = (after: readonly string[]) => after.flatMap((owner, index) =>
    owner === before[index] ? [] : [[before[index], owner]])
  const joined = moved(ownersIn(endpoints({ ...weights, heavy: 100 })))
  t.equal(joined.length > 9500, true, `${joined.length} of 10,000`)
  t.equal(joined.every(([, owner]) => owner === 'heavy'), true)
  t.equal(moved(ownersIn(endpoints({ ...weights, a: 2 }))).every(([, owner]) => owner === 'a'), true)
  for (const list of [{ b: 1, c: 0.5 }, { ...weights, a: 0.1 }]) {
    t.equal(moved(ownersIn(endpoints(list))).every(([owner]) => owner === 'a'), true)
  }
})

t.test('the ring stays within bounds, however heavy its members', async t => {
  const { heavy = 0, light = 0 } = tally(ownersIn(endpoints({ heavy: 65_535, light: 1 })))
  t.equal(heavy > 9990 && heavy + light === 10_000, true, `${light} for the light one`)
})

t.test('after a failure the next one on the ring is picked: where the keys would go without the instance', async t => {
  const list = endpoints(some(10))
  const strategy = new ConsistentHash()
  for (const key of keys.slice(0, 100)) {
    const first = strategy.pick(list, context([], key)) as Endpoint
    const second = strategy.pick(list, context([first], key))
    const without = new ConsistentHash().pick(list.filter(endpoint => endpoint !== first), context([], key))
    t.equal(second, without)
  }
})

t.test('instances of one id on several nodes all get keys', async t => {
  const list = ['n1', 'n2', 'n3'].map(node => endpointOf(instance({ id: 'web', node })))
  const strategy = new ConsistentHash()
  const counts = tally(keys.map(key => strategy.pick(list, context([], key))?.instance.node ?? ''))
  for (const [node, count] of Object.entries(counts)) t.equal(Math.abs(count - 3333) < 700, true, `${count}: ${node}`)
})

t.test('10,000 instances all have keys', async t => {
  const list = endpoints(some(10_000))
  const strategy = new ConsistentHash()
  const picked = new Set(Array.from({ length: 200_000 }, (_, index) => strategy.pick(list, context([], `k${index}`))))
  t.equal(picked.size > 9900, true, `${picked.size}`)
})

t.test('where everyone is full that is found out without going round the ring', async t => {
  const list = endpoints(some(200))
  let looks = 0
  const isFull = (): boolean => ++looks > 0
  t.equal(new ConsistentHash().pick(list, { ...context([], 'a'), isFull }), undefined)
  t.equal(looks < 250, true, String(looks))
  const isFullBut = ({ instance: { id } }: Endpoint): boolean => id !== 'svc-host7-80'
  t.equal(idOf(new ConsistentHash().pick(list, { ...context([], 'a'), isFull: isFullBut })), 'svc-host7-80')
})

t.test('a call without a key is refused', async t => {
  t.throws(() => new ConsistentHash().pick(endpoints({ a: 1 }), context()), {
    code: 'FST_CONSUL_INVALID_OPTION',
    message: 'balance.key must be a string: the strategy "consistent-hash" goes by it, got nothing'
  })
})

// lib/balancing/hash.ts

t.test('a text has the same number everywhere', async t => {
  t.same(['', 'a', 'user-1', 'ü', '消費者'].map(text => hashOf(text) >>> 0), [
    2872998923, 444641715, 2005895916, 134528209, 799450894
  ])
  t.not(hashOf('a'), hashOf('a', 1))
})

t.test('every bit of the number depends on every bit of the text', async t => {
  const flips = new Array(32).fill(0)
  for (let text = 0; text < 2000; text++) {
    const difference = hashOf(`user-${text}`) ^ hashOf(`user-${text + 1}`)
    for (let bit = 0; bit < 32; bit++) flips[bit] += (difference >>> bit) & 1
  }
  for (const flipped of flips) t.equal(Math.abs(flipped - 1000) < 130, true, `${flipped} of 2000`)
})

t.test('different numbers stay different', async t => {
  const mixed = new Set(Array.from({ length: 100_000 }, (_, number) => mix(number)))
  t.equal(mixed.size, 100_000)
})

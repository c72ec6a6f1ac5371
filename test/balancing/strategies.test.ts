import t from 'tap'
import type { Endpoint } from '../../lib/balancing/endpoint.ts'
import { Custom } from '../../lib/balancing/custom.ts'
import { Dice } from '../../lib/balancing/dice.ts'
import { First } from '../../lib/balancing/first.ts'
import { WeightedRandom } from '../../lib/balancing/random.ts'
import { createStrategy, strategyChoice, type StrategyChoice, strategyNames } from '../../lib/balancing/strategies.ts'
import type { PickContext } from '../../lib/balancing/strategy.ts'
import { effectiveWeight, positiveWeights } from '../../lib/balancing/weights.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { context, endpoints, idOf, instance, seeded, tally } from './helpers.ts'

// lib/balancing/strategies.ts

const lowestPort = (instances: readonly ServiceInstance[]): ServiceInstance | undefined =>
  instances.toSorted((one, other) => one.port - other.port)[0]

const choices = [...strategyNames, lowestPort] as readonly StrategyChoice[]

/** Calls that differ in their keys. */
let calls = 0
const call = (tried: readonly Endpoint[] = [], now = 0): PickContext => context(tried, `key-${calls++}`, now)

for (const choice of choices) {
  t.test(`strategy ${typeof choice === 'string' ? choice : 'of one\'s own'}`, async t => {
    const create = () => createStrategy(choice, seeded(1))

    t.test('picks one of the list', async t => {
      const strategy = create()
      for (const size of [1, 2, 7, 65]) {
        const list = endpoints(Object.fromEntries(Array.from({ length: size }, (_, index) => [`i${index}`, 1 + index])))
        for (let pick = 0; pick < 200; pick++) t.equal(list.includes(strategy.pick(list, call())!), true)
      }
    })

    t.test('picks none that was tried, until every one was', async t => {
      const list = endpoints({ a: 1, b: 100, c: 0.01, d: 1 })
      const strategy = create()
      for (let round = 0; round < 50; round++) {
        const tried = [strategy.pick(list, call())!]
        while (tried.length < list.length) tried.push(strategy.pick(list, call(tried))!)
        t.same(tried.map(idOf).toSorted(), ['a', 'b', 'c', 'd'])
      }
    })

    t.test('treats weights that are all 0 as equal', async t => {
      const list = endpoints({ a: 0, b: 0 })
      const strategy = create()
      t.ok(strategy.pick(list, call()))
      t.equal(strategy.pick(list, call(list.slice(0, 1))), list[1])
    })

    t.test('follows the list as it changes', async t => {
      const strategy = create()
      const both = endpoints({ a: 1, b: 1 })
      for (const list of [both, both.slice(0, 1), both, both.slice(1)]) {
        for (let pick = 0; pick < 10; pick++) t.equal(list.includes(strategy.pick(list, call())!), true)
      }
    })

    t.test('picks the same with the same random numbers', async t => {
      const list = endpoints({ a: 1, b: 2, c: 3 })
      const [one, other] = [create(), create()]
      for (let pick = 0; pick < 100; pick++) {
        const same = call()
        t.equal(one.pick(list, same), other.pick(list, same))
      }
    })

    if (typeof choice === 'string') {
      t.test('looks at few of many, after a failure too', async t => {
        const list = endpoints(Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`i${index}`, 1])))
        let looks = 0
        const watched = new Proxy(list, {
          get (target, name, receiver) {
            looks++
            return Reflect.get(target, name, receiver)
          }
        })
        const strategy = create()
        const tried = [strategy.pick(watched, call())!]
        looks = 0
        for (let pick = 0; pick < 100; pick++) strategy.pick(watched, call(tried))
        t.equal(looks < 3000, true, `${looks} looks at the list for 100 picks`)
      })
    }

    t.test('leaves list, endpoints and call alone', async t => {
      const list = endpoints({ b: 1, a: 2 })
      const before = list.map(({ outstanding, weight }) => ({ outstanding, weight }))
      create().pick(list, Object.freeze(call(Object.freeze([]) as [])))
      t.same(list.map(({ outstanding, weight }) => ({ outstanding, weight })), before)
      t.same(list.map(idOf), ['b', 'a'])
    })
  })
}

for (const choice of strategyNames.filter(name => name !== 'first') as StrategyChoice[]) {
  t.test(`strategy ${choice as string} gives a heavier one more`, async t => {
    for (const others of [2, 70]) {
      const light = Object.fromEntries(Array.from({ length: others }, (_, index) => [`light${index}`, 1]))
      const list = endpoints({ heavy: 4, ...light })
      const strategy = createStrategy(choice, seeded(3))
      // As under load: four attempts for each endpoint are under way, and one ends as another begins.
      const running: Endpoint[] = []
      const picks = Array.from({ length: 20_000 }, (_, now) => {
        const endpoint = strategy.pick(list, call([], now)) as Endpoint
        endpoint.begin()
        running.push(endpoint)
        const ended = running.length > 4 * list.length ? running.shift() : undefined
        ended?.record('success', now - 10, now)
        ended?.end()
        return idOf(endpoint)
      })
      const { heavy = 0 } = tally(picks)
      const ratio = heavy / ((picks.length - heavy) / others)
      t.equal(ratio > 2 && ratio < 6, true, `${ratio.toFixed(2)} times as much, among ${others + 1}`)
    }
  })
}

t.test('a strategy is known by its name, or is a function', async t => {
  for (const choice of choices) t.equal(strategyChoice(choice, 'balancer.strategy'), choice)
})

t.test('an unknown strategy is refused', async t => {
  const cases = [
    ['least-requests', "'least-requests'"], ['constructor', "'constructor'"], [undefined, 'undefined'], [null, 'null'],
    [7, '7'], [['first'], 'an array']
  ]
  for (const [value, received] of cases) {
    t.throws(() => strategyChoice(value, 'balancer.strategy'), {
      code: 'FST_CONSUL_INVALID_OPTION',
      message: 'balancer.strategy must be one of round-robin, random, first, least-request, peak-ewma, ' +
        `consistent-hash, or a function, got ${received as string}`
    })
  }
})

// lib/balancing/first.ts

t.test('the lowest id is picked, in whatever order the list comes', async t => {
  const list = endpoints({ c: 1, B: 1, a: 1 })
  const strategy = new First()
  t.equal(idOf(strategy.pick(list, context())), 'B', 'by code unit')
  t.equal(idOf(strategy.pick(list.toReversed(), context())), 'B')
})

t.test('the next one is picked after a failure', async t => {
  const list = endpoints({ c: 1, a: 1, b: 1 })
  const [c, a, b] = list
  const strategy = new First()
  t.equal(strategy.pick(list, context([a!])), b)
  t.equal(strategy.pick(list, context([a!, b!])), c)
})

// lib/balancing/random.ts

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

// lib/balancing/dice.ts

t.test('every side comes up, and as often as the others, one after the other independently', async t => {
  for (const random of [() => 0, () => 0.37, () => 1 - 2 ** -53]) {
    const dice = new Dice(random)
    const pairs = new Uint32Array(49)
    for (let roll = 0; roll < 49_000; roll++) pairs[7 * dice.roll(7) + dice.roll(7)]!++
    for (const count of pairs) t.equal(Math.abs(count - 1000) < 160, true, `${count} of 1000`)
  }
})

t.test('the sides are from 0 to the last', async t => {
  const dice = new Dice(() => 0.5)
  t.equal(dice.roll(1), 0)
  const rolls = Array.from({ length: 10_000 }, () => dice.roll(2 ** 31))
  t.ok(rolls.every(roll => Number.isInteger(roll) && roll >= 0 && roll < 2 ** 31))
  t.equal(Math.abs(Math.max(...rolls) / 2 ** 31 - 1) < 0.001, true)
})

// lib/balancing/custom.ts

t.test('the function is given the instances left and the call', async t => {
  const list = endpoints({ a: 1, b: 1, c: 1 })
  const strategy = new Custom((instances, call) => {
    t.same(instances.map(({ id }) => id), ['b', 'c'])
    t.equal(Object.isFrozen(instances), true)
    t.same(call, { service: 'svc', key: 'customer-1' })
    return instances[1]
  })
  t.equal(strategy.pick(list, context(list.slice(0, 1), 'customer-1')), list[2])
})

t.test('as long as the list is the same, every function is given the same array', async t => {
  const list = endpoints({ a: 1, b: 1 })
  const given: unknown[] = []
  const pickFrom = (endpoints: readonly Endpoint[]) => new Custom(instances => {
    given.push(instances)
    return instances[0]
  }).pick(endpoints, context())
  pickFrom(list)
  pickFrom(list)
  pickFrom([...list])
  t.equal(given[0], given[1])
  t.not(given[0], given[2])
})

t.test('a function that wants none of them picks none', async t => {
  for (const none of [undefined, null]) {
    t.equal(new Custom(() => none).pick(endpoints({ a: 1 }), context()), undefined)
  }
})

t.test('what is no instance of the list is an error that says so', async t => {
  const wrong = [
    [instance({ id: 'a' }), 'another object'],
    ['a', 'another string'],
    [Promise.resolve(), 'a promise']
  ]
  for (const [value, received] of wrong) {
    t.throws(() => new Custom(() => value as undefined).pick(endpoints({ a: 1 }), context()), {
      code: 'FST_CONSUL_INVALID_OPTION',
      message: 'balance.strategy or balancer.strategy must be a function that returns one of the instances it is ' +
        `given, got ${received as string}`
    })
  }
})

// lib/balancing/weights.ts

t.test('the weight of an instance', async t => {
  const cases = [
    { status: 'passing', passing: 1, warning: 1, weight: 1 },
    { status: 'passing', passing: 7, warning: 1, weight: 7 },
    { status: 'warning', passing: 1, warning: 1, weight: 0.1 },
    { status: 'warning', passing: 7, warning: 7, weight: 0.7 },
    { status: 'warning', passing: 7, warning: 2, weight: 2 },
    { status: 'warning', passing: 1, warning: 0, weight: 0 }
  ] as const
  for (const { status, passing, warning, weight } of cases) {
    const actual = effectiveWeight(instance({ status, weights: { passing, warning } }), 0.1)
    t.equal(actual.toFixed(6), weight.toFixed(6), `${status} with ${passing}/${warning}`)
  }
})

t.test('a warning share of 0 leaves an instance in warning nothing, one of 1 everything', async t => {
  t.equal(effectiveWeight(instance({ status: 'warning' }), 0), 0)
  t.equal(effectiveWeight(instance({ status: 'warning' }), 1), 1)
})

t.test('weights that are all 0 count the same', async t => {
  t.same([...positiveWeights([{ weight: 0 }, { weight: 0 }])], [1, 1])
  t.same([...positiveWeights([{ weight: 0 }, { weight: 2 }])], [0, 2])
})

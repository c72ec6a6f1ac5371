import t from 'tap'
import { createStrategy, strategyChoice, strategyNames, type StrategyChoice } from '../../lib/balancing/strategies.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { context, endpoints, idOf, seeded } from './helpers.ts'

const lowestPort = (instances: readonly ServiceInstance[]): ServiceInstance | undefined =>
  instances.toSorted((one, other) => one.port - other.port)[0]

const choices = [...strategyNames, lowestPort] as readonly StrategyChoice[]

for (const choice of choices) {
  t.test(`strategy ${typeof choice === 'string' ? choice : 'of one\'s own'}`, async t => {
    const create = () => createStrategy(choice, seeded(1))

    t.test('picks one of the list', async t => {
      const strategy = create()
      for (const size of [1, 2, 7, 100]) {
        const list = endpoints(Object.fromEntries(Array.from({ length: size }, (_, index) => [`i${index}`, 1 + index])))
        for (let pick = 0; pick < 200; pick++) t.equal(list.includes(strategy.pick(list, context())!), true)
      }
    })

    t.test('picks none that was tried, until every one was', async t => {
      const list = endpoints({ a: 1, b: 100, c: 0.01, d: 1 })
      const strategy = create()
      for (let round = 0; round < 50; round++) {
        const tried = [strategy.pick(list, context())!]
        while (tried.length < list.length) tried.push(strategy.pick(list, context(tried))!)
        t.same(tried.map(idOf).toSorted(), ['a', 'b', 'c', 'd'])
      }
    })

    t.test('treats weights that are all 0 as equal', async t => {
      const list = endpoints({ a: 0, b: 0 })
      const strategy = create()
      t.ok(strategy.pick(list, context()))
      t.equal(strategy.pick(list, context(list.slice(0, 1))), list[1])
    })

    t.test('follows the list as it changes', async t => {
      const strategy = create()
      const both = endpoints({ a: 1, b: 1 })
      for (const list of [both, both.slice(0, 1), both, both.slice(1)]) {
        for (let pick = 0; pick < 10; pick++) t.equal(list.includes(strategy.pick(list, context())!), true)
      }
    })

    t.test('picks the same with the same random numbers', async t => {
      const list = endpoints({ a: 1, b: 2, c: 3 })
      const [one, other] = [create(), create()]
      for (let pick = 0; pick < 100; pick++) t.equal(one.pick(list, context()), other.pick(list, context()))
    })

    t.test('leaves list, endpoints and call alone', async t => {
      const list = endpoints({ b: 1, a: 2 })
      const before = list.map(({ outstanding, weight }) => ({ outstanding, weight }))
      create().pick(list, Object.freeze(context(Object.freeze([]) as [])))
      t.same(list.map(({ outstanding, weight }) => ({ outstanding, weight })), before)
      t.same(list.map(idOf), ['b', 'a'])
    })
  })
}

t.test('a strategy is known by its name, or is a function', async t => {
  for (const choice of choices) t.equal(strategyChoice(choice, 'balancer.strategy'), choice)
})

t.test('an unknown strategy is refused', async t => {
  const cases = [
    ['least-request', '"least-request"'], ['constructor', '"constructor"'], [undefined, 'undefined'], [7, 'number']
  ]
  for (const [value, received] of cases) {
    t.throws(() => strategyChoice(value, 'balancer.strategy'), {
      code: 'FST_CONSUL_INVALID_OPTION',
      message: `balancer.strategy must be one of round-robin, random, first, or a function, got ${received as string}`
    })
  }
})

import t from 'tap'
import { Custom } from '../../lib/balancing/custom.ts'
import { context, endpoints, instance } from './helpers.ts'

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

t.test('a function that wants none of them picks none', async t => {
  t.equal(new Custom(() => undefined).pick(endpoints({ a: 1 }), context()), undefined)
})

t.test('what is no instance of the list is an error that says so', async t => {
  const wrong = [
    [instance({ id: 'a' }), 'another object'],
    [null, 'null'],
    ['a', 'another string'],
    [Promise.resolve(), 'a promise']
  ]
  for (const [value, received] of wrong) {
    t.throws(() => new Custom(() => value as undefined).pick(endpoints({ a: 1 }), context()), {
      code: 'FST_CONSUL_INVALID_OPTION',
      message: `strategy must be a function that returns one of the instances it is given, got ${received as string}`
    })
  }
})

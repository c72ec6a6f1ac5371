import t from 'tap'
import { First } from '../../lib/balancing/first.ts'
import { context, endpoints, idOf } from './helpers.ts'

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

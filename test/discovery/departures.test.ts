import t from 'tap'
import { instanceOf } from '../../lib/consul/health-entry.ts'
import { Departures } from '../../lib/discovery/departures.ts'
import { entry } from '../consul/wire-entries.ts'

const [a, b] = ['a', 'b'].map(id => instanceOf(entry({ ID: id }), 'passing', '')) as
  [ReturnType<typeof instanceOf>, ReturnType<typeof instanceOf>]

t.test('an instance that another list still holds has not left', async t => {
  const departures = new Departures(() => new Set(['dc1/node-1/b']))
  const told: string[][] = []
  departures.onLeave(left => told.push(left.map(({ id }) => id)))
  departures.check([a, b])
  departures.check([b])
  t.same(told, [['a']])
})

t.test('nobody is told of nothing, and no list is looked at for it', async t => {
  const departures = new Departures(() => { throw new Error('looked') })
  departures.onLeave(() => t.fail('told'))
  departures.check([])
})

t.test('a listener that has ended is not told', async t => {
  const departures = new Departures(() => new Set())
  let told = 0
  const end = departures.onLeave(() => { told++ })
  departures.check([a])
  end()
  departures.check([b])
  t.equal(told, 1)
})

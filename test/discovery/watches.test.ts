import t from 'tap'
import { ServiceView } from '../../lib/discovery/view.ts'
import { Watches } from '../../lib/discovery/watches.ts'
import { ManualClock } from '../support/manual-clock.ts'

function parts (wanted: () => boolean) {
  const clock = new ManualClock()
  const idle: string[] = []
  const watches = new Watches({
    idleAfter: 1000, clock, isWanted: wanted, onIdle: ({ key }) => idle.push(key.name)
  })
  const viewOf = (name: string) => new ServiceView({ name, datacenter: undefined, filter: undefined, near: undefined })
  return { clock, idle, watches, viewOf }
}

t.test('a watch ends when nobody has wanted it for idleAfter, a quarter of it later at most', async t => {
  let wanted = true
  const { clock, idle, watches, viewOf } = parts(() => wanted)
  const signal = watches.begin(viewOf('web'))
  clock.advance(5000)
  t.same([watches.size, signal.aborted], [1, false])
  wanted = false
  clock.advance(750)
  t.notOk(signal.aborted)
  clock.advance(500)
  t.ok(signal.aborted)
  t.same(idle, ['web'])
  t.equal(watches.size, 0)
  t.same(clock.pending, [], 'and nothing is swept any longer')
})

t.test('only the unwanted ones end', async t => {
  const { clock, idle, watches, viewOf } = parts(() => false)
  watches.begin(viewOf('old'))
  clock.advance(900)
  watches.begin(viewOf('young'))
  clock.advance(600)
  t.same(idle, ['old'])
  t.equal(watches.size, 1)
})

t.test('close ends all of them, and no timer stays', async t => {
  const { clock, idle, watches, viewOf } = parts(() => true)
  const signals = [watches.begin(viewOf('a')), watches.begin(viewOf('b'))]
  watches.close()
  t.ok(signals.every(({ aborted }) => aborted))
  t.same([watches.size, clock.pending.length, idle.length], [0, 0, 0])
})

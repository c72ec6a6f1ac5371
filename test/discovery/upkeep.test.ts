import t from 'tap'
import { Upkeep } from '../../lib/discovery/upkeep.ts'
import { ServiceView } from '../../lib/discovery/view.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** Two watches; what is not called for 1 s is idle, unless the test says otherwise. */
function start (options: { maxWatches?: number, idleAfter?: number } = {}) {
  const clock = new ManualClock()
  const idle: string[] = []
  const signals = new Map<ServiceView, AbortSignal>()
  const followed = new Set<ServiceView>()
  const preloaded = new Set<ServiceView>()
  const polled = new Set<ServiceView>()
  let limits = 0
  const upkeep = new Upkeep({ maxWatches: 2, idleAfter: 1000, ...options }, {
    isFollowed: view => followed.has(view),
    isPreloaded: view => preloaded.has(view),
    watch: (view, signal) => {
      view.watch(false)
      signals.set(view, signal)
    },
    poller: {
      add: view => { polled.add(view) },
      remove: view => { polled.delete(view) },
      close: () => polled.clear(),
      get size () { return polled.size }
    },
    onLimit: () => { limits++ },
    onIdle: ({ key }) => idle.push(key.name),
    clock
  })
  const viewOf = (name: string) => new ServiceView({ name, datacenter: undefined, filter: undefined, near: undefined })
  const keep = (...names: string[]) => names.map(name => {
    const view = viewOf(name)
    upkeep.keep(view)
    return view
  })
  return { clock, idle, upkeep, viewOf, keep, signals, followed, preloaded, polled, limits: () => limits }
}

const call = (view: ServiceView | undefined, times: number) => {
  for (let i = 0; i < times; i++) view?.want()
}

t.test('a watch ends when nobody has wanted it for idleAfter, a quarter of it later at most', async t => {
  const { clock, idle, upkeep, keep, signals } = start()
  const [view] = keep('web')
  for (let i = 0; i < 10; i++) {
    call(view, 1)
    clock.advance(500)
  }
  t.notOk(signals.get(view!)?.aborted)
  clock.advance(250)
  t.notOk(signals.get(view!)?.aborted)
  clock.advance(500)
  t.ok(signals.get(view!)?.aborted)
  t.same(idle, ['web'])
  t.equal(upkeep.size, 0)
  t.same(clock.pending, [], 'and nothing is looked at any longer')
})

t.test('only the unwanted ones end', async t => {
  const { clock, idle, upkeep, keep } = start()
  keep('old')
  clock.advance(900)
  keep('young')
  clock.advance(600)
  t.same(idle, ['old'])
  t.equal(upkeep.size, 1)
})

t.test('beyond the limit there is the poller; what is followed is watched in any case', async t => {
  const { upkeep, viewOf, keep, followed, polled, limits } = start()
  const [, , third] = keep('a', 'b', 'c')
  t.same([...polled], [third])
  t.equal(third?.upkeep, 'polled')
  t.equal(limits(), 1)
  const own = viewOf('own')
  followed.add(own)
  upkeep.watch(own)
  followed.add(third!)
  upkeep.watch(third!)
  t.same([own.upkeep, third?.upkeep, polled.size], ['watched', 'watched', 0])
})

t.test('a watch that is left goes to the hottest of those that are polled', async t => {
  const { clock, keep, idle } = start({ idleAfter: 20_000 })
  const [a, b, c, d] = keep('a', 'b', 'c', 'd')
  for (let i = 0; i < 4; i++) {
    call(b, 10)
    call(c, 1)
    call(d, 2)
    clock.advance(5000)
  }
  t.same(idle, ['a'])
  t.same([a, b, c, d].map(view => view?.upkeep), ['watched', 'watched', 'polled', 'watched'], 'onIdle marks the first')
})

t.test('who is called much more takes the watch of the one that is called least, and keeps it', async t => {
  const { clock, keep, polled, signals } = start({ idleAfter: 600_000 })
  const [a, b, c] = keep('a', 'b', 'c')
  call(a, 100)
  call(b, 40)
  call(c, 89)
  clock.advance(5000)
  t.same([...polled], [c], 'a little more is not enough')
  call(c, 40)
  clock.advance(5000)
  t.same([...polled], [b])
  t.same([a, b, c].map(view => view?.upkeep), ['watched', 'polled', 'watched'])
  t.ok(signals.get(b!)?.aborted)
  call(b, 60)
  clock.advance(5000)
  t.same([...polled], [b], 'and does not lose it for a few calls')
})

t.test('what is preloaded keeps its watch and does not become idle', async t => {
  const { clock, keep, preloaded, polled } = start({ maxWatches: 1 })
  const [a, b, c] = keep('a', 'b', 'c')
  preloaded.add(a!).add(b!)
  call(c, 1000)
  clock.advance(5000)
  t.same([...polled], [b])
  t.same([a, b].map(view => view?.upkeep), ['watched', 'polled'])
})

t.test('the coldest is the one that is polled and called least', async t => {
  const { clock, upkeep, keep, preloaded } = start({ maxWatches: 1, idleAfter: 600_000 })
  const [, b, c, d] = keep('a', 'b', 'c', 'd')
  preloaded.add(b!)
  call(d, 2)
  clock.advance(5000)
  call(c, 1)
  t.equal(upkeep.coldest(), c)
  upkeep.drop(c!)
  t.equal(upkeep.coldest(), d)
})

t.test('while there are watches enough, nothing is looked at but for idle ones', async t => {
  const { clock, keep } = start({ idleAfter: 400_000 })
  keep('a', 'b')
  t.same(clock.pending, [100_000])
  keep('c')
  t.same(clock.pending, [5000])
})

t.test('close ends all of them, and no timer stays', async t => {
  const { clock, idle, upkeep, keep, polled, signals } = start()
  keep('a', 'b', 'c')
  upkeep.close()
  t.ok([...signals.values()].every(({ aborted }) => aborted))
  t.same([upkeep.size, clock.pending.length, idle.length, polled.size], [0, 0, 0, 0])
})

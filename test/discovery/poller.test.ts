import t from 'tap'
import { Connectivity } from '../../lib/consul/connectivity.ts'
import { Poller } from '../../lib/discovery/poller.ts'
import { ServiceView } from '../../lib/discovery/view.ts'
import { ApiForbiddenError, ApiUnreachableError } from '../../lib/errors.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { ManualClock } from '../support/manual-clock.ts'
import type { Teardown } from '../support/teardown.ts'

function start (t: Teardown, ask: (view: ServiceView) => Promise<void> = async () => {}) {
  const clock = new ManualClock()
  const random = () => 0.5
  const asked: string[] = []
  const { logger } = collectingLogger()
  let isAway = false
  const probe = async () => { if (isAway) throw new ApiUnreachableError('the probe', 'away') }
  const connectivity = new Connectivity({ probe, logger, clock, random })
  const poller = new Poller({
    ask: async view => {
      asked.push(view.key.name)
      await ask(view)
    },
    connectivity,
    clock,
    random
  })
  t.teardown(() => {
    poller.close()
    connectivity.close()
  })
  /** Lets time pass in small steps, as much as asked for, so that what becomes due can go on. */
  const pass = async (ms: number) => {
    for (let i = 0; i < ms; i += 5) {
      clock.advance(5)
      await new Promise(resolve => { setImmediate(resolve) })
    }
  }
  const add = (...names: string[]) => names.map(name => {
    const view = new ServiceView({ name, datacenter: undefined, filter: undefined, near: undefined })
    poller.add(view)
    return view
  })
  return { clock, asked, poller, connectivity, pass, add, away: (on: boolean) => { isAway = on } }
}

t.test('each is asked for every 3 s, in turn', async t => {
  const { asked, pass, add } = start(t)
  add('a', 'b', 'c')
  await pass(2990)
  t.same(asked, [])
  await pass(20)
  t.same(asked, ['a', 'b', 'c'])
  await pass(3000)
  t.same(asked, ['a', 'b', 'c', 'a', 'b', 'c'])
})

t.test('a thousand cost 200 queries a second, and each has its turn every 5 s', async t => {
  const { asked, pass, add } = start(t)
  const names = Array.from({ length: 1000 }, (_, i) => `s${i}`)
  add(...names)
  await pass(3000)
  await pass(20_000)
  t.ok(asked.length > 3900 && asked.length <= 4010, `${asked.length} in 20 s`)
  for (const name of names) t.equal(Math.abs(asked.filter(each => each === name).length - 4) <= 1, true, name)
})

t.test('two are asked for at a time; one that takes long holds up no other', async t => {
  let running = 0
  let most = 0
  let release = (): void => {}
  const stuck = new Promise<void>(resolve => { release = resolve })
  const { asked, pass, add } = start(t, async view => {
    most = Math.max(most, ++running)
    if (view.key.name === 'slow') await stuck
    running--
  })
  add('slow', 'b', 'c', 'd')
  await pass(6100)
  t.same(asked, ['slow', 'b', 'c', 'd', 'b', 'c', 'd'])
  t.equal(most, 2)
  release()
})

t.test('one that was removed is asked for no more', async t => {
  const { asked, pass, poller, add } = start(t)
  const [a] = add('a', 'b')
  poller.remove(a!)
  t.equal(poller.size, 1)
  await pass(3010)
  t.same(asked, ['b'])
})

t.test('when all are gone it rests, and begins again with the next', async t => {
  const { asked, clock, pass, poller, add } = start(t)
  const [a] = add('a')
  poller.remove(a!)
  await pass(3010)
  t.same(clock.pending, [])
  add('b')
  await pass(3010)
  t.same(asked, ['b'])
})

t.test('one that is added in the moment in which the last one goes is asked for too', async t => {
  for (let hops = 0; hops < 10; hops++) {
    const { asked, poller, pass, add } = start(t, async view => {
      if (view.key.name !== 'last') return
      poller.remove(view)
      addLater(hops)
    })
    const addLater = async (hops: number): Promise<void> => {
      for (let i = 0; i < hops; i++) await undefined
      add('next')
    }
    add('last')
    await pass(6100)
    t.same(asked, ['last', 'next'], `${hops} turns of the microtask queue later`)
  }
})

t.test('while the agent is away nothing is asked', async t => {
  const { asked, connectivity, pass, add, away } = start(t)
  add('a')
  away(true)
  connectivity.report(new ApiUnreachableError('it', 'away'))
  await pass(20_000)
  t.same(asked, [])
  away(false)
  await pass(4000)
  t.ok(asked.length > 0)
})

t.test('an agent that refuses is asked more and more rarely', async t => {
  const { asked, pass, add } = start(t, async view => {
    view.fail(new ApiForbiddenError('GET it', 403, 'no'), 0)
  })
  add(...Array.from({ length: 100 }, (_, i) => `s${i}`))
  await pass(63_000)
  t.ok(asked.length < 25, `${asked.length} questions in a minute`)
})

t.test('after close nothing is asked and no timer stays', async t => {
  const { asked, clock, pass, poller, add } = start(t)
  add('a', 'b')
  poller.close()
  add('c')
  await pass(3010)
  t.same([asked, clock.pending], [[], []])
})

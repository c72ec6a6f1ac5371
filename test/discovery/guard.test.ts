import fc from 'fast-check'
import t from 'tap'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { Departures } from '../../lib/discovery/departures.ts'
import {
  confirm, confirmAt, type Guard, heldFor, judge, noDoubt, release, settlingFor
} from '../../lib/discovery/guard.ts'
import { ServiceView } from '../../lib/discovery/view.ts'
import { entry } from '../consul/wire-entries.ts'

// lib/discovery/guard.ts

const whole = (index: number | string) => ({ index: String(index), filteredByAcls: false })
const filtered = (index: number | string) => ({ index: String(index), filteredByAcls: true })
const none = new Set<string>()

/** The guard after an answer that was whole and lost nothing. */
const at = (index: number): Guard => judge(noDoubt, [], whole(index), 0)
const interrupted = (guard: Guard): Guard => ({ ...guard, disrupted: true })
const heldIn = ({ held }: Guard): string[] => [...held.keys()]

t.test('a shorter list with a newer index counts at once', async t => {
  t.same(heldIn(judge(at(57), ['a'], whole(58), 0)), [])
})

type Row = [what: string, guard: Guard, answer: ReturnType<typeof whole>, doubt: string, until: number | undefined]

const doubts: Row[] = [
  ['a lower index', at(57), whole(7), 'back', 1000 + heldFor],
  ['no index after one', at(57), whole(''), 'back', 1000 + heldFor],
  ['a newer index after an interruption', interrupted(at(57)), whole(58), 'disrupted', 1000 + heldFor],
  ['the same index', at(57), whole(57), 'unmoved', 1000 + heldFor],
  ['the same index after an interruption', interrupted(at(57)), whole(57), 'disrupted', 31_000],
  ['a part that the token may see', at(57), filtered(58), 'filtered', undefined],
  ['such a part with a lower index', at(57), filtered(7), 'filtered', undefined]
]

for (const [what, guard, answer, doubt, until] of doubts) {
  t.test(`${what}: what is missing is kept`, async t => {
    const after = judge(guard, ['a', 'b'], answer, 1000)
    t.same([...after.held], [['a', { doubt, since: 1000, until }], ['b', { doubt, since: 1000, until }]])
    t.equal(confirmAt(after), until)
  })
}

t.test('a source without any index is believed, unless it was interrupted', async t => {
  const guard = judge(noDoubt, [], whole(0), 0)
  t.same(heldIn(judge(guard, ['a'], whole('x'), 0)), [])
  t.same(heldIn(judge(interrupted(guard), ['a'], whole('x'), 0)), ['a'])
})

t.test('what is kept stays while answers go on without it; others can leave at once', async t => {
  const restarted = judge(at(57), ['a', 'b'], whole(7), 0)
  const next = judge(restarted, ['a', 'b', 'c'], whole(8), settlingFor)
  t.same(heldIn(next), ['a', 'b'])
  t.equal(confirmAt(next), heldFor, 'its time has not moved')
})

t.test('what is listed again is an ordinary instance: once all has settled its removal counts at once', async t => {
  const restarted = judge(at(57), ['a'], whole(7), 0)
  const back = judge(restarted, [], whole(8), 100)
  t.same(heldIn(back), [])
  t.same(heldIn(judge(back, ['a'], whole(9), settlingFor)), [])
})

t.test('what goes away just after a disruption is a consequence of it', async t => {
  const back = judge(interrupted(at(57)), [], whole(58), 1000)
  t.match(judge(back, ['a'], whole(59), 1000 + settlingFor - 1).held.get('a'), { doubt: 'disrupted' })
  t.same(heldIn(judge(back, ['a'], whole(59), 1000 + settlingFor)), [])
})

t.test('what is released is judged as if it had not been kept', async t => {
  const restarted = judge(at(57), ['a', 'b'], whole(7), 0)
  t.same(heldIn(judge(release(restarted, ['a']), ['a', 'b'], whole(8), settlingFor)), ['b'])
})

t.test('another disruption gives what is kept its time anew', async t => {
  const first = judge(at(57), ['a'], whole(7), 0)
  const second = judge(interrupted(first), ['a'], whole(8), 20_000)
  t.same([...second.held], [['a', { doubt: 'disrupted', since: 0, until: 20_000 + heldFor }]])
})

t.test('after 30 s a confirmed absence counts; before, it does not', async t => {
  const restarted = judge(at(57), ['a'], whole(7), 0)
  t.same(heldIn(confirm(restarted, none, whole(7), heldFor - 1)), ['a'])
  t.same(heldIn(confirm(restarted, none, whole(7), heldFor)), [])
})

t.test('an instance that the confirmation lists is kept no longer: it is there', async t => {
  const restarted = judge(at(57), ['a', 'b'], whole(7), 0)
  t.same(heldIn(confirm(restarted, new Set(['a']), whole(9), 100)), ['b'])
})

t.test('a confirmation that is filtered, or has a lower index, confirms nothing', async t => {
  const restarted = judge(at(57), ['a'], whole(7), 0)
  const partial = confirm(restarted, none, filtered(9), heldFor)
  t.match(partial.held.get('a'), { doubt: 'filtered', until: undefined })
  const back = confirm(restarted, none, whole(6), heldFor)
  t.match(back.held.get('a'), { doubt: 'back', until: 2 * heldFor })
  t.same(heldIn(confirm(back, none, whole(6), 2 * heldFor)), [], 'the time after that one does')
})

t.test('a filtered list is as it is for as long as it is filtered; then the time of 30 s begins', async t => {
  let guard = at(57)
  for (let i = 0; i < 100; i++) guard = judge(guard, ['a'], filtered(58 + i), i * 3_600_000)
  t.same([...guard.held], [['a', { doubt: 'filtered', since: 0, until: undefined }]])
  const now = 100 * 3_600_000
  guard = judge(guard, ['a'], whole(200), now)
  t.equal(confirmAt(guard), now + heldFor)
  t.same(heldIn(confirm(guard, none, whole(200), now + heldFor)), [])
})

t.test('a filtered answer says nothing of the index of the whole list', async t => {
  const guard = judge(at(57), ['a'], filtered(60), 0)
  t.equal(guard.index, 57n)
  t.equal(confirmAt(judge(guard, ['a'], whole(60), 0)), heldFor, 'the list had moved on: no narrowed token')
})

t.test('while the index stands still, what is missing is kept until a confirmation that is whole', async t => {
  let guard = judge(at(57), ['a'], whole(57), 0)
  for (let i = 1; i < 100; i++) guard = judge(guard, ['a'], whole(57), i * 60_000)
  t.equal(confirmAt(guard), heldFor, 'answers that say nothing give it no more time')
  for (let round = 1; round < 100; round++) {
    guard = confirm(guard, none, filtered(57), round * heldFor)
    t.same([...guard.held], [['a', { doubt: 'unmoved', since: 0, until: (round + 1) * heldFor }]])
  }
  t.same(heldIn(confirm(guard, none, whole(57), 100 * heldFor)), [])
})

t.test('indexes are compared as integers of 64 bits', async t => {
  const guard = judge(noDoubt, [], whole('9007199254740993'), 0)
  t.same(heldIn(judge(guard, ['a'], whole('9007199254740992'), 0)), ['a'])
  t.same(heldIn(judge(guard, ['a'], whole('9007199254740994'), 0)), [])
})

/** All that can happen to a list of these instances. */

const instances = ['a', 'b', 'c']
const listing = fc.subarray(instances)
const index = fc.oneof(
  fc.constantFrom('', '0', '1', '5', '6', '7'), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String))
const heading = { listing, index, filteredByAcls: fc.boolean() }
const anEvent = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('answer' as const), ...heading }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('confirm' as const), ...heading }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('error' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 60_000 }) }) }
)
const events = fc.array(anEvent, { maxLength: 40 })

interface Moment {
  now: number
  guard: Guard
  known: ReadonlySet<string>
}

/** The guard and what is known with it after each event. */
function play (happening: readonly (typeof anEvent extends fc.Arbitrary<infer E> ? E : never)[]): Moment[] {
  let now = 0
  let guard = noDoubt
  let known: ReadonlySet<string> = none
  return happening.map(event => {
    if (event.kind === 'wait') now += event.ms
    if (event.kind === 'error') guard = interrupted(guard)
    if (event.kind === 'answer') {
      guard = judge(guard, [...known].filter(key => !event.listing.includes(key)), event, now)
      known = new Set([...event.listing, ...guard.held.keys()])
    }
    if (event.kind === 'confirm') {
      const before = guard
      guard = confirm(guard, new Set(event.listing), event, now)
      known = new Set([...known].filter(key =>
        event.listing.includes(key) || !before.held.has(key) || guard.held.has(key)))
    }
    return { now, guard, known }
  })
}

t.test('whatever happens, nothing is lost without a good reason, and nothing is kept that is listed', async () => {
  fc.assert(fc.property(events, happening => {
    let before: Moment = { now: 0, guard: noDoubt, known: none }
    for (const [i, after] of play(happening).entries()) {
      const event = happening[i]!
      const gone = [...before.known].filter(key => !after.known.has(key))
      for (const key of gone) {
        const { disrupted, settledAt, index, held } = before.guard
        const until = held.get(key)?.until ?? Infinity
        const isGoodReason = event.kind === 'answer'
          ? !held.has(key) && !disrupted && after.now >= settledAt &&
            after.guard.index >= index && !event.filteredByAcls
          : event.kind === 'confirm' && until <= after.now && !event.filteredByAcls
        if (!isGoodReason) return false
      }
      if ('listing' in event && event.listing.some(key => after.guard.held.has(key))) return false
      before = after
    }
    return true
  }), { seed: 1, numRuns: 2000 })
})

t.test('whatever has happened, a whole list that goes on counts in the end', async () => {
  fc.assert(fc.property(events, listing, (happening, truth) => {
    let { now, guard, known }: Moment = play(happening).at(-1) ?? { now: 0, guard: noDoubt, known: none }
    for (const index of [10, 11]) {
      now += settlingFor
      guard = judge(guard, [...known].filter(key => !truth.includes(key)), whole(index), now)
      known = new Set([...truth, ...guard.held.keys()])
    }
    for (let round = 0; round < instances.length && guard.held.size > 0; round++) {
      now = Math.max(now, confirmAt(guard) ?? now)
      guard = confirm(guard, new Set(truth), whole(12), now)
    }
    return guard.held.size === 0
  }), { seed: 1, numRuns: 2000 })
})

// lib/discovery/departures.ts

function viewOf (...ids: string[]): ServiceView {
  const view = new ServiceView({ name: 'web', datacenter: undefined, filter: undefined, near: undefined })
  view.accept({ value: ids.map(id => entry({ ID: id })), ...whole(1) }, 0)
  return view
}

const view = viewOf('a', 'b')
const [a, b] = view.select({}, false) as [ServiceInstance, ServiceInstance]

t.test('an instance that another list still holds has not left', async t => {
  const departures = new Departures(() => [viewOf(), viewOf('b')])
  const told: string[][] = []
  departures.onLeave(left => told.push(left.map(({ id }) => id)))
  departures.check(view, [a, b])
  departures.check(view, [b])
  t.same(told, [['a']])
})

t.test('a list that nobody keeps up to date any longer holds nobody', async t => {
  const idle = viewOf('a')
  idle.upkeep = 'idle'
  const departures = new Departures(() => [idle])
  const told: string[][] = []
  departures.onLeave(left => told.push(left.map(({ id }) => id)))
  departures.check(view, [a])
  t.same(told, [['a']])
})

t.test('of those that Consul still lists it is said that they may return', async t => {
  const departures = new Departures(() => [])
  const told: [string[], boolean][] = []
  departures.onLeave((left, mayReturn) => told.push([left.map(({ id }) => id), mayReturn]))
  departures.check(viewOf('a'), [a, b])
  t.same(told, [[['a'], true], [['b'], false]])
})

t.test('one that is listed somewhere else does not return to where it was', async t => {
  const departures = new Departures(() => [])
  const told: boolean[] = []
  departures.onLeave((_, mayReturn) => told.push(mayReturn))
  for (const moved of [{ Port: 1 }, { Address: '127.0.0.9' }]) {
    const now = viewOf()
    now.accept({ value: [entry({ ID: 'a', ...moved })], ...whole(2) }, 0)
    departures.check(now, [a])
  }
  t.same(told, [false, false])
})

t.test('nobody is told of nothing, and no list is looked at for it', async t => {
  const departures = new Departures(() => { throw new Error('looked') })
  departures.onLeave(() => t.fail('told'))
  departures.check(view, [])
})

t.test('a listener that has ended is not told', async t => {
  const departures = new Departures(() => [])
  let told = 0
  const end = departures.onLeave(() => { told++ })
  departures.check(view, [a])
  end()
  departures.check(view, [b])
  t.equal(told, 1)
})

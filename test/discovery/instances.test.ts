import fc from 'fast-check'
import t from 'tap'
import type { WireHealthEntry } from '../../lib/consul/wire.ts'
import {
  departed, listedIn, matches, nextSnapshot, nothingKnown, type ServiceSnapshot
} from '../../lib/discovery/instances.ts'
import { placesIn } from '../../lib/in-step.ts'
import { check, entry } from '../consul/wire-entries.ts'

function snapshots (...answers: WireHealthEntry[][]): ServiceSnapshot[] {
  let last = nothingKnown
  return answers.map(entries => (last = nextSnapshot(last, listedIn(entries, last, 'dc1'), new Map())))
}

const a = entry({ ID: 'a' })
const b = entry({ ID: 'b' })

t.test('passing and warning instances are healthy, all are known', async t => {
  const [snapshot] = snapshots([
    a, entry({ ID: 'b' }, [check('warning')]), entry({ ID: 'c' }, [check('critical')]),
    entry({ ID: 'd' }, [check('critical', '_node_maintenance')])
  ])
  t.same(snapshot?.healthy.map(({ id, status }) => [id, status]), [['a', 'passing'], ['b', 'warning']])
  t.same(snapshot?.known.map(({ id, status, instance }) => [id, status, instance !== undefined]), [
    ['a', 'passing', true], ['b', 'warning', true], ['c', 'critical', false], ['d', 'maintenance', false]
  ])
})

t.test('an answer without a change keeps the list and the instances', async t => {
  const [first, second] = snapshots([a, b], [entry({ ID: 'a' }), entry({ ID: 'b' })])
  t.equal(second?.healthy, first?.healthy)
  t.ok(Object.isFrozen(first?.healthy))
})

t.test('a changed output of a check, or of a critical instance, changes nothing for callers', async t => {
  const talking = entry({ ID: 'a' }, [{ ...check('passing'), Output: 'took 3 ms' }])
  const [first, second] = snapshots([a, entry({ ID: 'c' }, [check('critical')])], [talking])
  t.equal(second?.healthy, first?.healthy)
})

const changes: [what: string, to: WireHealthEntry][] = [
  ['address', entry({ ID: 'a', Address: '10.0.0.99' })],
  ['port', entry({ ID: 'a', Port: 81 })],
  ['status', entry({ ID: 'a' }, [check('warning')])],
  ['weight', entry({ ID: 'a', Weights: { Passing: 2, Warning: 1 } })],
  ['weight in warning', entry({ ID: 'a', Weights: { Passing: 1, Warning: 2 } })],
  ['tags', entry({ ID: 'a', Tags: ['x'] })],
  ['meta', entry({ ID: 'a', Meta: { x: 'y' } })]
]

for (const [what, to] of changes) {
  t.test(`another ${what} makes a new list and a new instance; the other ones stay`, async t => {
    const [first, second] = snapshots([a, b], [to, b])
    t.not(second?.healthy, first?.healthy)
    t.not(second?.healthy[0], first?.healthy[0])
    t.equal(second?.healthy[1], first?.healthy[1])
    t.same(departed(first!, second!), [], 'nobody has left')
  })
}

t.test('the same service id on two nodes is two instances', async t => {
  const [first, second] = snapshots(
    [entry({ ID: 'a' }, [], 'node-1'), entry({ ID: 'a' }, [], 'node-2')], [entry({ ID: 'a' }, [], 'node-2')])
  t.equal(first?.healthy.length, 2)
  t.equal(second?.healthy[0], first?.healthy[1])
  t.same(departed(first!, second!).map(({ node }) => node), ['node-1'])
})

t.test('who is gone, critical or in maintenance has departed', async t => {
  const [first, second, third] = snapshots([a, b], [entry({ ID: 'a' }, [check('critical')]), b], [])
  t.same(departed(first!, second!).map(({ id }) => id), ['a'])
  t.same(departed(second!, third!).map(({ id }) => id), ['b'])
  t.same(departed(third!, first!), [])
})

t.test('a query matches by all of its tags and by status', async t => {
  const [snapshot] = snapshots([entry({ ID: 'a', Tags: ['x', 'y'] }), entry({ ID: 'b' }, [check('warning')])])
  const [tagged, warning] = snapshot!.healthy
  t.ok(matches(tagged!, {}))
  t.ok(matches(tagged!, { tag: 'x' }))
  t.notOk(matches(tagged!, { tag: 'z' }))
  t.ok(matches(tagged!, { tags: ['y', 'x'] }))
  t.ok(matches(tagged!, { tags: [] }))
  t.notOk(matches(tagged!, { tags: ['x', 'z'] }))
  t.notOk(matches(tagged!, { tag: 'x', tags: ['z'] }))
  t.ok(matches(warning!, { passingOnly: false }))
  t.notOk(matches(warning!, { passingOnly: true }))
})

t.test('the checks that fail are those that do not pass', async t => {
  const [snapshot] = snapshots([entry({}, [check('passing', 'x'), check('warning', 'y'), check('critical', 'z')])])
  t.same(snapshot?.known[0]?.failing.map(({ CheckID: id }) => id), ['y', 'z'])
})

// lib/in-step.ts

interface Thing { id: string }

function places (list: string[], sought: string[]): { found: (number | undefined)[], keysMade: number } {
  let keysMade = 0
  const things = (ids: string[]): Thing[] => ids.map(id => ({ id }))
  const placeOf = placesIn(things(list), (one, other) => one.id === other.id, ({ id }) => {
    keysMade++
    return id
  })
  return { found: things(sought).map(placeOf), keysMade }
}

t.test('every element is found where it stands, whatever the order, and nothing else', async () => {
  const ids = fc.uniqueArray(fc.constantFrom(...'abcdefghij'), { maxLength: 10 })
  fc.assert(fc.property(ids, ids, (list, sought) => {
    const { found } = places(list, sought)
    return sought.every((id, index) => found[index] === (list.includes(id) ? list.indexOf(id) : undefined))
  }), { seed: 1, numRuns: 2000 })
})

t.test('no key is made while the lists go in step, with a gap of one here and there', async t => {
  t.same(places([...'abcdef'], [...'abcdef']), { found: [0, 1, 2, 3, 4, 5], keysMade: 0 })
  t.same(places([...'abcdef'], [...'bcef']), { found: [1, 2, 4, 5], keysMade: 0 })
})

t.test('after a larger gap, or something new, they are in step again', async t => {
  t.same(places([...'abcdef'], [...'adef']), { found: [0, 3, 4, 5], keysMade: 6 + 1 })
  t.same(places([...'abc'], [...'axbc']), { found: [0, undefined, 1, 2], keysMade: 3 + 1 })
})

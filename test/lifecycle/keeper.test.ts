import t from 'tap'
import type { CheckStatus, WireService } from '../../lib/consul/wire.ts'
import { checkIdsFor, type PresentChecks } from '../../lib/lifecycle/check-ids.ts'
import { driftOf, placeOf } from '../../lib/lifecycle/drift.ts'
import { Hysteresis, type Thresholds } from '../../lib/lifecycle/hysteresis.ts'
import { lossAtAgent, lossInCatalog, twinCheckOf } from '../../lib/lifecycle/loss.ts'
import { Rewrites } from '../../lib/lifecycle/rewrites.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { entryOf, registeredOf, wireServiceOf } from './registered.ts'

// lib/lifecycle/check-ids.ts

const a = 'service:l02:a'
const b = 'service:l02:b'
const of = (Type: string, Status: 'passing' | 'critical'): PresentChecks[string] => ({ Type, Status })
const http = of('http', 'passing')

/** To be written with an http check that is passing: which id, at first and once more after a. */
const idsToWrite: Record<string, [present: PresentChecks, atFirst: string, onceMore: string]> = {
  'none is there': [{}, a, a],
  'a is there': [{ [a]: http }, b, a],
  'b is there': [{ [b]: http }, a, b],
  'both are there': [{ [a]: http, [b]: http }, a, b],
  'both are there, one with another status': [{ [a]: http, [b]: of('http', 'critical') }, a, a],
  'another status': [{ [a]: of('http', 'critical') }, b, b],
  'another status under b': [{ [b]: of('http', 'critical') }, a, a],
  'another type': [{ [a]: of('tcp', 'passing') }, b, b],
  'no type, as in old versions': [{ [a]: { Status: 'passing' } }, b, b],
  'checks of others': [{ other: http }, a, a]
}

for (const [name, [present, atFirst, onceMore]] of Object.entries(idsToWrite)) {
  t.test(name, async t => {
    const ids = (last?: string) => checkIdsFor(registeredOf(), 'passing', present, last)
    t.match(ids(), { checkId: atFirst, other: atFirst === a ? b : a, isKept: false })
    t.match(ids(a), { checkId: onceMore, other: onceMore === a ? b : a, isKept: present[onceMore] === http })
  })
}

// lib/lifecycle/drift.ts

const service = { name: 'l02', tags: ['a', 'b'], meta: { k: 'v', l: 'w' }, weights: { passing: 2, warning: 1 } }
const asWritten: Partial<WireService> = {
  Tags: ['a', 'b'], Meta: { k: 'v', l: 'w' }, Weights: { Passing: 2, Warning: 1 }
}

const same: Record<string, [given: typeof service & object, found: Partial<WireService>]> = {
  'as it was written': [service, asWritten],
  'in another order': [service, { ...asWritten, Tags: ['b', 'a'], Meta: { l: 'w', k: 'v' } }],
  'with what Consul fills in': [service, {
    ...asWritten, TaggedAddresses: { lan_ipv4: { Address: '10.0.0.1', Port: 80 } }
  }]
}

for (const [name, [given, found]] of Object.entries(same)) {
  t.test(`${name} it is the same`, async t => {
    t.equal(driftOf(registeredOf({ service: given }).definition, wireServiceOf(found)), undefined)
  })
}

const different: Record<string, [found: Partial<WireService>, drift: string]> = {
  name: [{ Service: 'other' }, 'name'],
  address: [{ Address: '' }, 'address'],
  port: [{ Port: 81 }, 'port'],
  'a tag more': [{ Tags: ['a', 'b', 'c'] }, 'tags'],
  'no tags': [{ Tags: null }, 'tags'],
  meta: [{ Meta: { k: 'v' } }, 'meta'],
  'no meta': [{ Meta: null }, 'meta'],
  weights: [{ Weights: { Passing: 1, Warning: 1 } }, 'weights'],
  'no weights': [{ Weights: null }, 'weights'],
  enableTagOverride: [{ EnableTagOverride: true }, 'enableTagOverride'],
  'several parts': [{ Port: 81, Tags: [] }, 'port, tags']
}

for (const [name, [found, drift]] of Object.entries(different)) {
  t.test(`another: ${name}`, async t => {
    t.equal(driftOf(registeredOf({ service }).definition, wireServiceOf({ ...asWritten, ...found })), drift)
  })
}

t.test('tags that others may change are no difference', async t => {
  const { definition } = registeredOf({ service: { ...service, enableTagOverride: true } })
  t.equal(driftOf(definition, wireServiceOf({ ...asWritten, EnableTagOverride: true, Tags: ['theirs'] })), undefined)
})

t.test('of tagged addresses those count that were written', async t => {
  const lan = (port?: number) => registeredOf({
    service: { name: 'l02', taggedAddresses: { lan: { address: '10.0.0.2', port } } }
  }).definition
  const found = (Address: string, Port: number) => wireServiceOf({ TaggedAddresses: { lan: { Address, Port } } })
  t.equal(driftOf(lan(), found('10.0.0.2', 0)), undefined)
  t.equal(driftOf(lan(81), found('10.0.0.2', 81)), undefined)
  t.equal(driftOf(lan(81), found('10.0.0.2', 82)), 'taggedAddresses')
  t.equal(driftOf(lan(), found('10.0.0.3', 0)), 'taggedAddresses')
  t.equal(driftOf(lan(), wireServiceOf()), 'taggedAddresses')
})

t.test('a place is host and port, for people', async t => {
  t.equal(placeOf({ Address: '10.0.0.1', Port: 80 }), '10.0.0.1:80')
  t.equal(placeOf({ Address: '::1', Port: 80 }), '[::1]:80')
  t.equal(placeOf({ Address: '' }), 'the agent\'s address:0')
})

// lib/lifecycle/hysteresis.ts

const letters: Record<string, CheckStatus> = { p: 'passing', w: 'warning', c: 'critical' }

/** Results and what is told of them, a letter each. */
const toldOf: Record<string, [thresholds: Thresholds, results: string, told: string]> = {
  'without thresholds each counts': [{ successBeforePassing: 0, failuresBeforeCritical: 0 }, 'pcpwcw', 'pcpwcw'],
  'one is the first': [{ successBeforePassing: 1, failuresBeforeCritical: 1 }, 'pcpc', 'pcpc'],
  'three failures in a row': [{ successBeforePassing: 0, failuresBeforeCritical: 3 }, 'pccpccccp', 'ppppppccp'],
  'two successes in a row': [{ successBeforePassing: 2, failuresBeforeCritical: 0 }, 'cpcppp', 'ccccpp'],
  'a warning is a success': [{ successBeforePassing: 2, failuresBeforeCritical: 2 }, 'cwwcwccw', 'ccwwwwcc'],
  'between passing and warning there is no threshold': [
    { successBeforePassing: 5, failuresBeforeCritical: 5 }, 'pwpw', 'pwpw'],
  'the first result counts at once': [{ successBeforePassing: 5, failuresBeforeCritical: 5 }, 'cp', 'cc']
}

for (const [name, [thresholds, results, told]] of Object.entries(toldOf)) {
  t.test(name, async t => {
    const hysteresis = new Hysteresis(thresholds)
    t.equal([...results].map(letter => hysteresis.next(letters[letter]!)[0]).join(''), told)
  })
}

// lib/lifecycle/loss.ts

const registered = registeredOf({ checkId: a })

t.test('nothing is lost of what is as it was written', async t => {
  t.equal(lossAtAgent(registered, wireServiceOf()), undefined)
  t.equal(lossInCatalog(registered, entryOf({}, a)), undefined)
})

t.test('another place is someone else\'s', async t => {
  const reason = 'someone else changed it: address, port'
  const loss = { kind: 'changed', reason, isGone: false, other: '10.0.0.2:81' }
  t.same(lossAtAgent(registered, wireServiceOf({ Address: '10.0.0.2', Port: 81 })), loss)
  t.same(lossInCatalog(registered, entryOf({ Address: '10.0.0.2', Port: 81 }, b)), loss)
})

t.test('the catalog may list nothing, or no check of ours', async t => {
  t.same(lossInCatalog(registered, undefined), {
    kind: 'not_listed', reason: 'the catalog does not list it', isGone: true
  })
  t.same(lossInCatalog(registered, entryOf({}, 'serfHealth')), {
    kind: 'check_not_listed', reason: 'the catalog does not list its check', isGone: false
  })
})

t.test('the same with the other check is of a twin', async t => {
  t.equal(twinCheckOf(registered, entryOf({}, b)), b)
  t.equal(twinCheckOf(registered, entryOf({}, 'serfHealth')), undefined)
  t.equal(twinCheckOf(registered, entryOf({ Port: 81 }, b)), undefined)
})

// lib/lifecycle/rewrites.ts

t.test('three within a minute are too many', async t => {
  const clock = new ManualClock()
  const rewrites = new Rewrites(clock)
  t.notOk(rewrites.add())
  clock.advance(30_000)
  t.notOk(rewrites.add())
  clock.advance(29_999)
  t.ok(rewrites.add())
})

t.test('three in more than a minute are not, and what is forgotten does not count', async t => {
  const clock = new ManualClock()
  const rewrites = new Rewrites(clock)
  for (let round = 0; round < 5; round++) {
    t.notOk(rewrites.add())
    clock.advance(30_000)
  }
  rewrites.add()
  rewrites.forget()
  t.notOk(rewrites.add())
})

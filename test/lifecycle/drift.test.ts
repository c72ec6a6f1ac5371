import t from 'tap'
import type { WireService } from '../../lib/consul/wire.ts'
import { driftOf, placeOf } from '../../lib/lifecycle/drift.ts'
import { registeredOf, wireServiceOf } from './registered.ts'

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

import t from 'tap'
import type { WireHealthEntry } from '../../lib/consul/wire.ts'
import { Listing } from '../../lib/lifecycle/listing.ts'
import { entryOf, registeredOf } from './registered.ts'
import { ManualClock } from '../support/manual-clock.ts'

const a = 'service:l02:a'
const b = 'service:l02:b'
const maintenance = '_service_maintenance:l02'

function fixture (): { listing: Listing, clock: ManualClock, told: string[] } {
  const clock = new ManualClock()
  const told: string[] = []
  const listing = new Listing({
    clock,
    onShown: () => told.push('shown'),
    onChanged: entry => told.push(entry === undefined ? 'gone' : 'changed'),
    onMissing: () => told.push('missing')
  })
  return { listing, clock, told }
}

const write = (checkId: string): Parameters<Listing['expect']>[0] => registeredOf({ checkId })
const entry = (...checkIds: string[]): WireHealthEntry => entryOf({}, ...checkIds)

t.test('shown by the catalog after the write, or before its answer has come', async t => {
  const { listing, clock, told } = fixture()
  listing.begin()
  listing.expect(write(a))
  t.same(told, [])
  listing.update(entry(a))
  t.same(told, ['shown'])
  listing.begin()
  listing.update(entry(b))
  t.same(told, ['shown'], 'it may be an older one, as long as the agent has not answered')
  listing.expect(write(b))
  clock.advance(10_000)
  t.same(told, ['shown', 'shown'])
})

t.test('the entry of a predecessor, with its check, confirms nothing', async t => {
  const { listing, told } = fixture()
  listing.begin()
  listing.update(entry(a))
  listing.expect(write(b))
  listing.update(entry(a))
  t.same(told, [])
  listing.update(entry(a, b))
  t.same(told, ['shown'])
  listing.update(entry(b))
  t.same(told, ['shown', 'shown'])
})

t.test('not shown within three seconds it is missing, and may still be shown later', async t => {
  const { listing, clock, told } = fixture()
  listing.begin()
  listing.update(undefined)
  listing.expect(write(a))
  clock.advance(2999)
  t.same(told, [])
  clock.advance(1)
  t.same(told, ['missing'])
  listing.update(entry(a))
  t.same(told, ['missing', 'shown'])
})

t.test('what was shown before a write does not count for it', async t => {
  const { listing, clock, told } = fixture()
  listing.update(entry(a))
  listing.begin()
  listing.expect(write(a))
  clock.advance(3000)
  t.same(told, ['missing'])
})

t.test('changed is what was shown since the last write: gone, or without its check', async t => {
  const { listing, told } = fixture()
  listing.begin()
  listing.expect(write(a))
  listing.update(entry(a))
  listing.update(undefined)
  t.same(told.splice(0), ['shown', 'gone'])
  listing.update(entry())
  t.same(told.splice(0), ['changed'])
  listing.begin()
  listing.update(undefined)
  t.same(told, [])
})

t.test('gone() waits for the catalog only if the catalog lists something, of whatever write', async t => {
  const { listing } = fixture()
  await listing.gone()
  listing.update(entry(b))
  listing.begin()
  listing.expect(write(a))
  let isGone = false
  const gone = listing.gone().then(() => { isGone = true })
  listing.update(entry(a))
  await Promise.resolve()
  t.notOk(isGone)
  listing.update(undefined)
  await gone
  listing.stop()
})

t.test('the maintenance that was last listed is remembered until the service is listed without it', async t => {
  const { listing } = fixture()
  t.equal(listing.maintenance, undefined)
  listing.update(entry(a, maintenance))
  listing.update(undefined)
  t.equal(listing.maintenance, 'why')
  listing.update(entry(a))
  t.equal(listing.maintenance, undefined)
})

t.test('stopped, it waits for nothing', async t => {
  const { listing, clock, told } = fixture()
  listing.expect(write(a))
  listing.stop()
  clock.advance(3000)
  t.same(told, [])
  t.equal(clock.pending.length, 0)
})

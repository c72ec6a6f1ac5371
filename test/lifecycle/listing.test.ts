import t from 'tap'
import { Listing } from '../../lib/lifecycle/listing.ts'
import { ManualClock } from '../health/manual-clock.ts'

function fixture (): { listing: Listing, clock: ManualClock, told: string[] } {
  const clock = new ManualClock()
  const told: string[] = []
  const listing = new Listing({
    clock,
    onShown: () => told.push('shown'),
    onLost: () => told.push('lost'),
    onMissing: () => told.push('missing')
  })
  return { listing, clock, told }
}

t.test('shown by the catalog after the write, or before its answer has come', async t => {
  const { listing, clock, told } = fixture()
  listing.begin()
  listing.expect()
  t.same(told, [])
  listing.update(true)
  t.same(told, ['shown'])
  listing.begin()
  listing.update(true)
  t.same(told, ['shown'], 'it may be an older one, as long as the agent has not answered')
  listing.expect()
  clock.advance(10_000)
  t.same(told, ['shown', 'shown'])
})

t.test('not shown within three seconds it is missing, and may still be shown later', async t => {
  const { listing, clock, told } = fixture()
  listing.begin()
  listing.update(false)
  listing.expect()
  clock.advance(2999)
  t.same(told, [])
  clock.advance(1)
  t.same(told, ['missing'])
  listing.update(true)
  t.same(told, ['missing', 'shown'])
})

t.test('what was shown before a write does not count for it', async t => {
  const { listing, clock, told } = fixture()
  listing.update(true)
  listing.begin()
  listing.expect()
  clock.advance(3000)
  t.same(told, ['missing'])
})

t.test('lost is what was shown since the last write', async t => {
  const { listing, told } = fixture()
  listing.begin()
  listing.expect()
  listing.update(true)
  listing.update(false)
  listing.update(false)
  t.same(told, ['shown', 'lost'])
  listing.update(true)
  listing.begin()
  listing.update(false)
  t.same(told, ['shown', 'lost', 'shown'])
})

t.test('gone() waits for the catalog only if the catalog shows something', async t => {
  const { listing } = fixture()
  await listing.gone()
  listing.update(true)
  let isGone = false
  const gone = listing.gone().then(() => { isGone = true })
  listing.update(true)
  await Promise.resolve()
  t.notOk(isGone)
  listing.update(false)
  await gone
})

t.test('stopped, it waits for nothing', async t => {
  const { listing, clock, told } = fixture()
  listing.expect()
  listing.stop()
  clock.advance(3000)
  t.same(told, [])
  t.equal(clock.pending, 0)
})

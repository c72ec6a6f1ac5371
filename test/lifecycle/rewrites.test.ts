import t from 'tap'
import { Rewrites } from '../../lib/lifecycle/rewrites.ts'
import { ManualClock } from '../support/manual-clock.ts'

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

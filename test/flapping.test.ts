import t from 'tap'
import { Flapping } from '../lib/flapping.ts'

t.test('what comes and goes without end is told of three times, each for itself', async t => {
  const flapping = new Flapping()
  const web = {}
  t.same([0, 1, 2, 3, 50_000].map(now => flapping.judge(web, now)), ['news', 'news', 'flapping', 'known', 'known'])
  t.equal(flapping.judge({}, 4), 'news')
})

t.test('after a minute without a change the next one is news again', async t => {
  const flapping = new Flapping()
  const web = {}
  for (let now = 0; now < 5; now++) flapping.judge(web, now)
  t.equal(flapping.judge(web, 60_003), 'known')
  t.equal(flapping.judge(web, 120_003), 'news')
})

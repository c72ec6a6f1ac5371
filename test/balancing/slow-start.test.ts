import t from 'tap'
import { attempted, idOf, instance, seeded, tally } from './helpers.ts'
import { outlier, Service } from './service.ts'

for (const strategy of ['round-robin', 'random'] as const) {
  t.test(`${strategy}: a newcomer gets a tenth of its share at first, and all of it after 10 s`, async t => {
    const service = new Service('abcd', strategy, outlier, seeded(1))
    service.picks(8)
    service.instances = [...service.instances, instance({ id: 'new' })]
    const share = () => (service.picks(5000).new ?? 0) / 1000
    const isNear = (expected: number): void => {
      const is = share()
      t.equal(Math.abs(is - expected) < 0.1 * expected, true, `${is}`)
    }
    // Of what it passes on the others have the most.
    isNear(0.1 * 5 / 4.1)
    service.now += 6000
    isNear(0.6 * 5 / 4.6)
    service.now += 4000
    isNear(1)
  })
}

t.test('round-robin: what a newcomer does for others that fail costs it no turns later', async t => {
  const service = new Service('a', 'round-robin', outlier, seeded(3))
  const a = service.pick()
  service.instances = [...service.instances, instance({ id: 'new' })]
  for (let call = 0; call < 1000; call++) {
    service.now++
    if (service.pick() === a) t.equal(idOf(service.pick({ tried: [a] })), 'new')
  }
  service.now += 10_000
  t.same(service.picks(10), { a: 5, new: 5 })
})

t.test('where all are new, nobody is; nor is one that was in another list', async t => {
  const service = new Service('abcd')
  t.same(service.picks(8), { a: 2, b: 2, c: 2, d: 2 })
  const all = service.instances
  const group = service.balancer.group('svc', 'tag')
  const context = { service: 'svc', key: undefined, tried: [], now: service.now, ...attempted }
  group.pick(all.slice(0, 2), 'round-robin', context)
  const picks = Array.from({ length: 8 }, () => idOf(group.pick(all, 'round-robin', context)))
  t.same(tally(picks), { a: 2, b: 2, c: 2, d: 2 })
})

t.test('of many newcomers beside one that was there before, all get the same', async t => {
  const service = new Service('a', 'round-robin', outlier, seeded(2))
  service.pick()
  service.instances = [...service.instances, ...[...'bcdefghij'].map(id => instance({ id }))]
  const { a = 0, ...newcomers } = service.picks(9500)
  t.equal(Math.abs(a - 5000) < 300, true, `${a}: as much as all newcomers together, and a little more`)
  for (const [id, count] of Object.entries(newcomers)) t.equal(Math.abs(count - 500) < 100, true, `${count} for ${id}`)
})

t.test('those that were there before a call asked for them are not new', async t => {
  const service = new Service('a')
  service.instances = [...service.instances, ...[...'bcdefghij'].map(id => instance({ id }))]
  service.now += 3_600_000
  t.equal(Object.values(service.picks(100)).every(count => count === 10), true, 'beside one that was called before')
  service.instances = [...service.instances, ...[...'klmnopqrst'].map(id => instance({ id }))]
  service.now += 10_000
  t.equal(Object.values(service.picks(200)).every(count => count === 10), true, 'nor after no call for 10 s')
})

import t from 'tap'
import { Balancer } from '../../lib/balancing/balancer.ts'
import type { Endpoint } from '../../lib/balancing/endpoint.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { attempted, idOf, instance, seeded } from './helpers.ts'
import { outlier, Service } from './service.ts'

/** The first instance is in warning for a moment. */
function passAnew (service: Service): void {
  const [{ id }, ...others] = service.instances as [ServiceInstance, ...ServiceInstance[]]
  for (const status of ['warning', 'passing'] as const) {
    service.instances = [instance({ id, status }), ...others]
    service.pick()
  }
}

t.test('five failures in a row eject an instance', async t => {
  const service = new Service('abc')
  const a = service.endpoint('a')
  service.attempt(a, 'failure', 4)
  service.attempt(a, 'success')
  service.attempt(a, 'failure', 4)
  t.same(service.turns, [])
  service.attempt(a, 'failure')
  t.same(service.turns, ['a ejected'])
  t.same(a.ejection, { reason: 'consecutive failures', since: service.now, until: service.now + 5000 })
  t.equal(service.balancer.ejectionOf(a.instance), a.ejection)
  t.same(service.picks(10), { b: 5, c: 5 })
})

t.test('failures that came together are one moment, and eject nobody', async t => {
  const service = new Service('ab')
  const a = service.endpoint('a')
  for (let each = 0; each < 20; each++) a.begin()
  for (let each = 0; each < 20; each++) a.record('failure', service.now, service.now + 49)
  t.same(service.turns, [])
  a.begin()
  a.record('failure', service.now, service.now + 99)
  t.same(service.turns, ['a ejected'])
})

t.test('half of the others\' success rate is too little, from ten attempts within a second on', async t => {
  const service = new Service('ab')
  const [a, b] = [service.endpoint('a'), service.endpoint('b')]
  for (let each = 0; each < 40; each++) service.attempt(b, each % 10 === 0 ? 'failure' : 'success')
  for (let each = 0; each < 60; each++) service.attempt(a, each % 2 === 0 ? 'failure' : 'success')
  t.same(service.turns, [], 'half of them against nine of ten')
  service.attempt(a, 'failure', 4)
  service.attempt(a, 'success')
  service.attempt(a, 'failure', 4)
  t.same(service.turns, ['a ejected'])
  t.equal(a.ejection?.reason, 'success rate')
})

t.test('those of a list that calls leave out are told apart from those that are ejected and called', async t => {
  const service = new Service('abcd')
  service.eject('a')
  service.eject('b')
  const leftOut = () => [...service.balancer.leftOutOf(service.instances)].map(({ id }) => id)
  t.same(leftOut(), ['a', 'b'])
  service.instances = service.instances.slice(0, 2)
  t.same(leftOut(), ['b'], 'one must be called: the one whose time is over first')
  t.same(service.picks(4), { a: 4 })
  service.instances = [...service.instances, instance({ id: 'never called' })]
  t.same(leftOut(), ['b'])
})

t.test('what is longer ago than 10 s does not count', async t => {
  const service = new Service('ab')
  const a = service.endpoint('a')
  for (let round = 0; round < 3; round++) {
    for (let each = 0; each < 9; each++) service.attempt(a, each % 4 === 0 ? 'success' : 'failure')
    service.now += 11_000
  }
  t.same(service.turns, [])
})

t.test('what says nothing of the instance does not count', async t => {
  const service = new Service('ab')
  service.attempt(service.endpoint('a'), 'failure', 4)
  service.attempt(service.endpoint('a'), 'neutral', 100)
  t.same(service.turns, [])
  service.attempt(service.endpoint('a'), 'failure')
  t.same(service.turns, ['a ejected'])
})

t.test('where all fail, nobody is ejected', async t => {
  const service = new Service('abc')
  for (let each = 0; each < 300; each++) service.attempt(service.pick(), 'failure')
  t.equal(service.turns.length <= 1, true, 'only the first one, as long as nothing is known of the others')
})

t.test('when its time is over, one attempt finds out how it is, and others wait for that', async t => {
  const service = new Service('abc')
  const a = service.eject('a')
  service.now += 4999
  t.same(service.picks(4), { b: 2, c: 2 })
  service.now += 1
  const probe = service.pick()
  t.equal(probe, a)
  probe.begin()
  const startedAt = service.now
  service.now += 4999
  t.same(service.picks(4), { b: 2, c: 2 })
  probe.record('success', startedAt, service.now)
  probe.end()
  t.same(service.turns, ['a ejected', 'a returned'])
  t.equal(a.ejection, undefined)
  service.now += 10_000
  t.same(service.picks(9), { a: 3, b: 3, c: 3 })
})

t.test('an attempt that fails then keeps it out for twice as long, up to the limit; jitter spreads them', async t => {
  const service = new Service('ab', 'round-robin', { ...outlier, maxEjectionTime: 30_000 })
  const a = service.eject('a')
  for (const time of [10_000, 20_000, 30_000, 30_000]) {
    service.now = a.ejection?.until ?? 0
    service.attempt(service.pick(), 'failure')
    t.equal((a.ejection?.until ?? 0) - service.now, time)
  }
  const times = [0, 1 - 2 ** -53].map(number => {
    const balancer = new Balancer({ warningShare: 0.1, outlier, random: () => number, onGone () {} })
    const context = { service: 'svc', key: undefined, tried: [], now: 0, ...attempted }
    const endpoint = balancer.group('svc').pick([instance(), instance({ id: 'b' })], 'first', context) as Endpoint
    for (let now = 0; now <= 100; now += 20) endpoint.record('failure', now, now)
    return Math.round((endpoint.ejection?.until ?? 0) - (endpoint.ejection?.since ?? 0))
  })
  t.same(times, [4000, 6000])
})

t.test('for every ten seconds in service one ejection is forgotten', async t => {
  const service = new Service('ab')
  const a = service.eject('a')
  service.now = a.ejection?.until ?? 0
  service.attempt(service.pick(), 'failure')
  service.now = a.ejection?.until ?? 0
  service.attempt(service.pick(), 'success')
  service.now += 9000
  service.attempt(a, 'failure', 5)
  t.equal((a.ejection?.until ?? 0) - service.now, 20_000)
  service.now = a.ejection?.until ?? 0
  service.attempt(service.pick(), 'success')
  service.now += 30_000
  service.attempt(a, 'failure', 5)
  t.equal((a.ejection?.until ?? 0) - service.now, 5000)
})

t.test('however long it was out, a minute in service makes up for it', async t => {
  const service = new Service('ab')
  const a = service.eject('a')
  for (let probe = 0; probe < 300; probe++) {
    service.now = a.ejection?.until ?? 0
    service.attempt(service.pick(), 'failure')
  }
  service.now = a.ejection?.until ?? 0
  service.attempt(service.pick(), 'success')
  service.now += 60_000
  service.attempt(a, 'failure', 5)
  t.equal((a.ejection?.until ?? 0) - service.now, 5000)
})

t.test('an attempt that says nothing leaves the next one to find out', async t => {
  const service = new Service('ab')
  const a = service.eject('a')
  service.now += 5000
  service.attempt(service.pick(), 'neutral')
  service.now += 100
  t.equal(service.pick(), a)
})

t.test('a probe that takes longer than an ejection is not waited for, and still counts', async t => {
  const service = new Service('abc')
  const a = service.eject('a')
  service.now += 5000
  const startedAt = service.now
  service.pick().begin()
  service.now += 5000
  t.equal(service.pick(), a)
  a.begin()
  t.same(service.picks(4), { b: 2, c: 2 })
  a.record('success', startedAt, service.now)
  t.same(service.turns, ['a ejected', 'a returned'])
})

t.test('a probe that was chosen and never began leaves the next one to find out', async t => {
  const service = new Service('ab')
  const a = service.eject('a')
  service.now += 5000
  t.equal(service.pick(), a)
  service.now += 100
  t.equal(service.pick(), a)
})

t.test('however many are to be probed, the calls of 100 ms give one', async t => {
  const service = new Service('abcdefgh')
  service.picks(8)
  for (const id of 'abcd') service.eject(id)
  service.now += 6000
  const probes = Array.from({ length: 40 }, () => {
    const endpoint = service.pick()
    const isProbe = endpoint.ejection !== undefined
    service.attempt(endpoint, isProbe ? 'failure' : 'success')
    return isProbe
  })
  t.equal(probes.filter(Boolean).length, 4, 'each of them, within 800 ms')
  t.equal(probes.lastIndexOf(true) >= 15, true, 'and not one after the other')
})

t.test('many that are well again are back soon; those that do not answer get no more calls for that', async t => {
  const ids = Array.from({ length: 200 }, (_, index) => String.fromCharCode(1000 + index))
  const service = new Service(ids.join(''))
  service.pick()
  const [well, silent] = [ids.slice(0, 50), ids.slice(50, 100)].map(some => some.map(id => service.eject(id))) as
    [Endpoint[], Endpoint[]]
  const isOut = ({ ejection }: Endpoint) => ejection !== undefined
  const call = () => {
    const endpoint = service.pick()
    endpoint.begin()
    if (!silent.includes(endpoint)) endpoint.record('success', service.now, service.now)
    service.now += 2
  }
  service.now += 6000
  const startedAt = service.now
  while (well.some(isOut) && service.now < startedAt + 10_000) call()
  t.equal(service.now - startedAt < 500, true, `${service.now - startedAt} ms`)
  const until = service.now + 1000
  while (service.now < until) call()
  const waiting = silent.filter(({ outstanding }) => outstanding > 0).length
  t.equal(waiting > 2 && waiting < 20, true, `${waiting} in a second`)
})

t.test('while ejections run, a pick asks no ejected instance how it is', async t => {
  for (const strategy of ['round-robin', 'consistent-hash', (all: readonly ServiceInstance[]) => all[0]] as const) {
    const service = new Service('abcd', strategy)
    const a = service.eject('a')
    let asked = 0
    const { isDue } = a
    a.isDue = now => {
      asked++
      return isDue.call(a, now)
    }
    service.picks(100, { key: 'user' })
    t.equal(asked, 0)
    service.now += 5000
    if (strategy === 'round-robin') service.picks(100, { repeatable: false })
    t.equal(asked, 0, 'nor for calls that do not probe yet')
  }
})

t.test('attempts that were begun before the ejection change nothing', async t => {
  const service = new Service('ab')
  const a = service.endpoint('a')
  const startedAt = service.now
  a.begin()
  a.begin()
  service.eject('a')
  a.record('success', startedAt, service.now)
  a.record('failure', startedAt, service.now + 6000)
  t.same(service.turns, ['a ejected'])
})

t.test('nor do their failures when it is back', async t => {
  const service = new Service('ab')
  const a = service.endpoint('a')
  const startedAt = service.now
  for (let each = 0; each < 20; each++) a.begin()
  service.eject('a')
  passAnew(service)
  t.same(service.turns, ['a ejected', 'a returned'])
  for (let each = 0; each < 10; each++) {
    service.now += 200
    a.record('failure', startedAt, service.now)
  }
  a.record('neutral', startedAt, service.now)
  t.same(service.turns, ['a ejected', 'a returned'])
  t.equal(a.latencyLevel, -Infinity, 'nor are they its latency')
  service.attempt(a, 'failure', 5)
  t.equal(service.turns.length, 3)
})

t.test('a response that breaks off takes no success from those since it is back', async t => {
  const service = new Service('ab')
  const a = service.endpoint('a')
  a.begin()
  const startedAt = service.now
  a.record('success', startedAt, startedAt)
  service.eject('a')
  passAnew(service)
  service.attempt(a, 'success', 40)
  for (let each = 0; each < 60; each++) a.takeBack(startedAt, startedAt, service.now)
  for (let each = 0; each < 64; each++) service.attempt(a, each % 4 === 3 ? 'success' : 'failure')
  t.equal(service.turns.length, 2, 'most of its attempts have succeeded')
})

t.test('nor one that was begun before it was back, and not counted', async t => {
  const service = new Service('ab')
  const a = service.eject('a')
  const startedAt = service.now
  a.begin()
  service.now = a.ejection?.until ?? 0
  service.attempt(service.pick(), 'success')
  a.record('success', startedAt, service.now)
  for (let each = 0; each < 9; each++) service.attempt(a, each % 2 === 0 ? 'success' : 'failure')
  for (let each = 0; each < 9; each++) a.takeBack(startedAt, service.now, service.now)
  service.now += 1000
  service.attempt(a, 'failure')
  t.same(service.turns, ['a ejected', 'a returned'])
})

t.test('responses that break off are failures in a row, unless another one came since', async t => {
  const service = new Service('ab')
  const a = service.endpoint('a')
  const breakOff = () => {
    const startedAt = service.now
    service.attempt(a, 'success')
    const recordedAt = service.now
    service.now += 5
    return () => {
      a.takeBack(startedAt, recordedAt, service.now)
      a.record('failure', startedAt, service.now)
    }
  }
  const breaks = breakOff()
  service.attempt(a, 'failure', 4)
  service.attempt(a, 'success')
  breaks()
  t.same(service.turns, [], 'one in a row')
  for (let each = 0; each < 3; each++) breakOff()()
  t.same(service.turns, [])
  breakOff()()
  t.same(service.turns, ['a ejected'])
})

t.test('a probe whose response breaks off is none', async t => {
  const service = new Service('ab')
  const a = service.eject('a')
  service.now = a.ejection?.until ?? 0
  const startedAt = service.now
  service.attempt(service.pick(), 'success')
  t.same(service.turns, ['a ejected', 'a returned'])
  a.takeBack(startedAt, service.now, service.now)
  a.record('failure', startedAt, service.now + 5)
  t.same(service.turns, ['a ejected', 'a returned', 'a ejected'])
  t.equal((a.ejection?.until ?? 0) - service.now, 10_005, 'for twice as long')
})

t.test('a call that may be repeated finds out; one that may not only after another 5 s, and never a second attempt',
  async t => {
    const service = new Service('ab')
    const a = service.eject('a')
    service.now = (a.ejection?.until ?? 0) + 4999
    t.same(service.picks(3, { repeatable: false }), { b: 3 })
    t.same(service.picks(3, { tried: [service.endpoint('b')] }), { a: 3 }, 'unless there is nobody else')
    service.now += 1
    t.equal(service.pick({ repeatable: false }), a)
  })

t.test('half of the instances at the most are left out, and never the last', async t => {
  const service = new Service('abcde')
  const [c] = 'cab'.split('').map(id => service.eject(id))
  t.same(service.turns, ['c ejected', 'a ejected'])
  t.same(Object.keys(service.picks(30)).toSorted(), ['b', 'd', 'e'])
  t.equal(service.balancer.ejectionOf(service.endpoint('b').instance), undefined, 'it fails, and is used')
  service.now = c?.ejection?.until ?? 0
  service.attempt(service.pick(), 'success')
  service.attempt(service.endpoint('b'), 'failure')
  t.same(service.turns, ['c ejected', 'a ejected', 'c returned', 'b ejected'])
  const alone = new Service('a')
  alone.eject('a')
  t.same(alone.turns, [])
  t.same(alone.picks(3), { a: 3 })
})

t.test('one may always be left out beside others, unless none may', async t => {
  for (const [ids, maxEjected, out] of [['abcdefghi', 0.1, 1], ['ab', 0.1, 1], ['abcd', 0, 0], ['a', 1, 0]] as const) {
    const service = new Service(ids, 'round-robin', { ...outlier, maxEjected })
    service.pick()
    service.eject('a')
    if (ids.length > 2) service.eject('b')
    t.equal(service.turns.length, out, `${ids} ${maxEjected}`)
    t.equal(Object.keys(service.picks(20)).length, ids.length - out)
  }
})

t.test('of the instances with one tag half are left out too; those whose time is over first are used', async t => {
  const service = new Service('abcd')
  for (const id of 'ab') service.eject(id)
  const group = service.balancer.group('svc', 'tag')
  const context = { service: 'svc', key: undefined, tried: [], now: service.now, ...attempted }
  const picks = Array.from({ length: 4 }, () => idOf(group.pick(service.instances.slice(0, 2), 'random', context)))
  t.same(picks, ['a', 'a', 'a', 'a'])
})

t.test('several that fail at once are all ejected; another one that fails a little changes nothing', async t => {
  const service = new Service('abcdefghij')
  const failing = 'abcd'.split('').map(id => service.endpoint(id))
  for (let round = 0; round < 20; round++) {
    for (const id of 'efghij') {
      service.attempt(service.endpoint(id), id === 'e' && round % 5 === 0 ? 'failure' : 'success')
    }
    if (round >= 10) for (const endpoint of failing) service.attempt(endpoint, 'failure')
  }
  t.same(service.turns, ['a ejected', 'b ejected', 'c ejected', 'd ejected'])
  t.equal(failing.every(({ ejection }) => ejection?.reason === 'consecutive failures'), true)
})

t.test('that some of all attempts fail always does not keep one that fails in it', async t => {
  for (const background of [0, 0.02, 0.05]) {
    const service = new Service('abc', 'round-robin', outlier, seeded(5))
    const random = seeded(6)
    const diesAt = service.now + 20_000
    while (service.turns.length === 0 && service.now < diesAt + 10_000) {
      const endpoint = service.pick()
      const fails = (idOf(endpoint) === 'a' && service.now >= diesAt) || random() < background
      endpoint.record(fails ? 'failure' : 'success', service.now, service.now)
      service.now++
    }
    t.same(service.turns, ['a ejected'])
    t.equal(service.now - diesAt < 250, true, `${service.now - diesAt} ms, with ${background} of all failing before`)
  }
})

t.test('where half of all attempts fail from one moment on, or all, nobody is ejected', async t => {
  for (const [share, pause] of [[0.5, 5], [1, 1], [1, 50]] as const) {
    const service = new Service('abcdefghij', 'random', outlier, seeded(1))
    const random = seeded(2)
    const failsAt = service.now + 15_000
    for (; service.now < failsAt + 15_000; service.now += pause) {
      const fails = service.now >= failsAt && random() < share
      service.pick().record(fails ? 'failure' : 'success', service.now, service.now)
    }
    t.same(service.turns, [])
  }
})

t.test('failures of an instance that came back or left say nothing of the others', async t => {
  const service = new Service('abc')
  const [a, b] = [service.endpoint('a'), service.endpoint('b')]
  service.eject('a')
  service.attempt(a, 'success')
  service.attempt(service.eject('b'), 'success')
  t.same(service.turns, ['a ejected', 'a returned', 'b ejected', 'b returned'])
  const gone = service.eject('a')
  service.balancer.remove([gone.instance])
  service.attempt(gone, 'success')
  service.attempt(gone, 'failure', 20)
  t.same(service.turns.slice(4), ['a ejected', 'a left'], 'it is not heard of any more')
  service.attempt(b, 'failure', 5)
  t.same(service.turns.slice(6), ['b ejected'], 'one of the two that are left')
})

t.test('where half of many fail in the same moment, each of them is ejected', async t => {
  const ids = Array.from({ length: 200 }, (_, index) => String.fromCharCode(1000 + index))
  const service = new Service(ids.join(''))
  const all = ids.map(id => service.endpoint(id))
  for (let round = 0; round < 5; round++) {
    for (const [index, endpoint] of all.entries()) {
      endpoint.record(index < 100 ? 'failure' : 'success', service.now, service.now)
    }
    service.now += 200
  }
  t.equal(all.filter(({ ejection }) => ejection !== undefined).length, 100)
})

t.test('after an idle hour a success rate takes a second anew', async t => {
  const service = new Service('ab')
  const a = service.endpoint('a')
  service.attempt(a, 'success', 100)
  service.now += 3_600_000
  a.record('success', service.now, service.now)
  for (let each = 0; each < 20; each++) a.record('failure', service.now, service.now)
  t.same(service.turns, [])
  service.now += 1000
  a.record('failure', service.now, service.now)
  t.same(service.turns, ['a ejected'])
})

t.test('what fails in one datacenter says nothing of another', async t => {
  const service = new Service('ab')
  const far = [...'ab'].map(id => instance({ id, datacenter: 'dc2' }))
  const group = service.balancer.group('svc', '', 'dc2')
  const context = { service: 'svc', key: undefined, tried: [], now: service.now, ...attempted }
  for (const tried of [[], far.map(each => group.pick([each], 'first', context) as Endpoint).slice(0, 1)]) {
    const endpoint = group.pick(far, 'first', { ...context, tried }) as Endpoint
    service.attempt(endpoint, 'failure', 4)
  }
  service.eject('a')
  t.same(service.turns, ['a ejected'])
})

t.test('those that are left out are the last resort of a call', async t => {
  const service = new Service('ab')
  const a = service.eject('a')
  t.equal(service.pick({ tried: [service.endpoint('b')] }), a)
  service.attempt(a, 'success')
  t.same(service.turns, ['a ejected', 'a returned'])
})

t.test('passing anew brings it back; the same again, another description or a warning does not', async t => {
  const fresh: [ServiceInstance, ServiceInstance, boolean][] = [
    [instance({ id: 'a', status: 'warning' }), instance({ id: 'a' }), true],
    [instance({ id: 'a' }), instance({ id: 'a', meta: { version: '2' } }), false],
    [instance({ id: 'a' }), instance({ id: 'a' }), false],
    [instance({ id: 'a' }), instance({ id: 'a', status: 'warning' }), false]
  ]
  for (const [before, after, returns] of fresh) {
    const service = new Service('ab')
    service.instances = [before, service.instances[1] as ServiceInstance]
    service.pick()
    const a = service.eject('a')
    service.instances = [after, service.instances[1] as ServiceInstance]
    service.pick()
    t.equal(a.ejection === undefined, returns)
  }
})

t.test('an instance whose registration changes all the time is ejected all the same, and stays out', async t => {
  const service = new Service('ab')
  const a = service.endpoint('a')
  const change = (load: number): void => {
    service.instances = [instance({ id: 'a', meta: { load: `${load}` } }), service.instances[1] as ServiceInstance]
    service.pick()
  }
  for (let load = 0; load < 5; load++) {
    change(load)
    service.attempt(a, 'failure')
  }
  change(5)
  t.same(service.turns, ['a ejected'])
})

t.test('an instance that left and came back is another endpoint, of which nothing bad is known', async t => {
  const service = new Service('ab')
  const a = service.eject('a')
  service.balancer.remove([a.instance])
  t.not(service.endpoint('a'), a)
  t.equal(service.balancer.ejectionOf(a.instance), undefined)
})

t.test('with false nobody is ejected', async t => {
  const balancer = new Balancer({ warningShare: 0.1, outlier: false, random: seeded(1), onGone () {} })
  const context = { service: 'svc', key: undefined, tried: [], now: 0, ...attempted }
  const endpoint = balancer.group('svc').pick([instance()], 'random', context) as Endpoint
  for (let now = 0; now < 1000; now += 20) endpoint.record('failure', now, now)
  t.equal(endpoint.ejection, undefined)
})

t.test('a function sees only those that are in service, and one whose time is over', async t => {
  const seen: string[] = []
  const service = new Service('abc', instances => {
    seen.push(instances.map(({ id }) => id).join(''))
    return instances[0]
  })
  service.pick()
  service.eject('a')
  service.pick()
  service.now += 5000
  service.pick().begin()
  service.pick()
  t.same(seen, ['abc', 'bc', 'abc', 'bc'])
})

t.test('keys of an ejected instance go elsewhere, the others stay, and one of its own brings it back', async t => {
  const service = new Service('abcdef', 'consistent-hash')
  const keys = Array.from({ length: 200 }, (_, index) => `user-${index}`)
  const owners = () => keys.map(key => idOf(service.pick({ key })))
  const before = owners()
  const a = service.eject('a')
  const after = owners()
  t.equal(after.every((owner, index) => before[index] === 'a' ? owner !== 'a' : owner === before[index]), true)
  service.now += 5000
  const [ofAnother, ofA] = ['b', 'a'].map(id => keys[before.indexOf(id)] as string)
  t.equal(idOf(service.pick({ key: ofAnother })), 'b')
  service.attempt(service.pick({ key: ofA }), 'success')
  t.equal(a.ejection, undefined)
  t.same(owners(), before)
})

import t from 'tap'
import { Endpoint } from '../../lib/balancing/endpoint.ts'
import type { Outcome } from '../../lib/balancing/outcome.ts'
import { Ewma, memory } from '../../lib/balancing/ewma.ts'
import { LeastRequest } from '../../lib/balancing/least-request.ts'
import { Pace } from '../../lib/balancing/pace.ts'
import { PeakEwma } from '../../lib/balancing/peak-ewma.ts'
import { context, endpointOf, endpoints, idOf, instance, seeded, tally } from './helpers.ts'

// lib/balancing/ewma.ts

/** To the microsecond: exponents and logarithms differ in the last digits from machine to machine. */
const at = (ewma: Ewma, now: number): string => ewma.at(now).toFixed(3)

t.test('a higher latency counts at once, a lower one little by little', async t => {
  const ewma = new Ewma()
  ewma.add(100, 0)
  t.equal(at(ewma, 0), '100.000')
  ewma.add(300, 0)
  t.equal(at(ewma, 0), '300.000')
  ewma.add(50, memory)
  t.equal(at(ewma, memory), (300 / Math.E + 50 * (1 - 1 / Math.E)).toFixed(3))
})

t.test('it falls without new latencies too', async t => {
  const ewma = new Ewma()
  ewma.add(100, 1000)
  t.equal(at(ewma, 1000 + memory), (100 / Math.E).toFixed(3))
})

t.test('steady latencies stay what they are', async t => {
  const ewma = new Ewma()
  for (let now = 0; now <= 60_000; now += 10) ewma.add(20, now)
  t.equal(at(ewma, 60_000), '20.000')
})

t.test('two compare right at any moment, without the time', async t => {
  const [early, late] = [new Ewma(), new Ewma()]
  early.add(100, 0)
  late.add(30, memory)
  t.ok(early.level > late.level, '37 against 30')
  late.add(40, memory)
  t.ok(early.level < late.level, '37 against 40')
})

t.test('nothing overflows in years', async t => {
  const ewma = new Ewma()
  const tenYears = 10 * 365 * 86_400_000
  for (const now of [0, tenYears, tenYears + 10]) ewma.add(20, now)
  t.equal(ewma.at(tenYears + 10).toFixed(2), '20.00')
})

t.test('a latency that is known to be longer than that only raises it', async t => {
  const ewma = new Ewma()
  ewma.addAtLeast(1, 0)
  t.equal(ewma.isKnown, false, 'alone it says nothing')
  ewma.add(20, 0)
  ewma.addAtLeast(100, 0)
  ewma.addAtLeast(50, 0)
  t.equal(at(ewma, 0), '100.000')
})

t.test('nothing is known of what was forgotten', async t => {
  const ewma = new Ewma()
  t.equal(ewma.isKnown, false)
  ewma.add(0, 0)
  t.equal(ewma.isKnown, true, 'a latency of 0 is one')
  ewma.forget()
  t.equal(ewma.isKnown, false)
  t.equal(ewma.at(0), 0)
})

// lib/balancing/least-request.ts

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`i${index}`, 1]))

t.test('the one with the fewest attempts under way is picked, of up to 32', async t => {
  const list = endpoints(many(32))
  const idle = list[17] as Endpoint
  for (const endpoint of list) if (endpoint !== idle) endpoint.begin()
  const strategy = new LeastRequest(seeded(1))
  for (let pick = 0; pick < 100; pick++) t.equal(strategy.pick(list, context()), idle)
  idle.begin()
  idle.begin()
  for (let pick = 0; pick < 100; pick++) t.not(strategy.pick(list, context()), idle)
})

t.test('those that are equal all get some', async t => {
  const list = endpoints({ a: 1, b: 1, c: 1, busy: 1 })
  list[3]?.begin()
  const strategy = new LeastRequest(seeded(2))
  const counts = tally(Array.from({ length: 3000 }, () => idOf(strategy.pick(list, context()))))
  t.equal(counts.busy, undefined)
  for (const id of ['a', 'b', 'c']) t.equal((counts[id] ?? 0) > 650, true, `${counts[id]} for ${id}`)
})

t.test('beyond that the best of the one that is drawn and 32 others, or 8 all over more than 64', async t => {
  for (const [size, looks] of [[64, 32], [65, 8]] as const) {
    const list = endpoints(many(size))
    const idle = list[5] as Endpoint
    for (const endpoint of list) if (endpoint !== idle) endpoint.begin()
    const strategy = new LeastRequest(seeded(3))
    const picks = Array.from({ length: 65_000 }, () => strategy.pick(list, context()))
    const share = picks.filter(picked => picked === idle).length / picks.length
    const expected = 1 - (1 - 1 / size) * (1 - looks / size)
    t.equal(Math.abs(share - expected) < 0.01, true, `${share} of ${expected}`)
    idle.begin()
    idle.begin()
    for (let pick = 0; pick < 1000; pick++) t.not(strategy.pick(list, context()), idle)
  }
})

t.test('an attempt on a heavier one counts less', async t => {
  const list = endpoints({ heavy: 3, light: 1 })
  const strategy = new LeastRequest(seeded(4))
  const picked = Array.from({ length: 8 }, () => {
    const endpoint = strategy.pick(list, context()) as Endpoint
    endpoint.begin()
    return idOf(endpoint)
  })
  t.same(tally(picked), { heavy: 6, light: 2 })
})

t.test('weights count where nothing or little is under way too', async t => {
  for (const light of [1, 70]) {
    const strategy = new LeastRequest(seeded(5))
    const lightOnes = Object.fromEntries(Array.from({ length: light }, (_, index) => [`light${index}`, 1]))
    const list = endpoints({ heavy: 3 * light, ...lightOnes })
    const heavyIn = (underWay: number): number => {
      const running: Endpoint[] = []
      const picked = Array.from({ length: 4000 }, () => {
        const endpoint = strategy.pick(list, context()) as Endpoint
        endpoint.begin()
        running.push(endpoint)
        if (running.length > underWay) running.shift()?.end()
        return idOf(endpoint)
      })
      for (const endpoint of running) endpoint.end()
      return (tally(picked).heavy ?? 0) / picked.length
    }
    for (const underWay of [0, 1, 3]) {
      const share = heavyIn(underWay)
      t.equal(share > 0.68 && share < 0.84, true, `${share} of 0.75, beside ${light} with ${underWay} under way`)
    }
  }
})

// lib/balancing/least.ts

for (const [strategy, Create] of [['LeastRequest', LeastRequest], ['PeakEwma', PeakEwma]] as const) {
  t.test(`${strategy}: of those left after a failure, equal ones all get some`, async t => {
    const list = endpoints({ a: 1, b: 1, c: 1, d: 1 })
    const balancer = new Create(seeded(6))
    const counts = tally(Array.from({ length: 3000 }, () => idOf(balancer.pick(list, context(list.slice(0, 1))))))
    for (const id of ['b', 'c', 'd']) t.equal(Math.abs((counts[id] ?? 0) - 1000) < 120, true, `${counts[id]} for ${id}`)
  })
}

for (const [strategy, Create] of [['LeastRequest', LeastRequest], ['PeakEwma', PeakEwma]] as const) {
  t.test(`${strategy}: of many, none that was tried is picked, however much there is to be said for it`, async t => {
    const list = endpoints({ heavy: 1e6, ...many(64) })
    const balancer = new Create(seeded(8))
    for (const endpoint of list.slice(1)) serve(endpoint, 50, 100)
    const tried = list.slice(0, 2)
    const picked = new Set(Array.from({ length: 5000 }, () => balancer.pick(list, context(tried, undefined, 100))))
    t.equal(picked.size, 63)
    for (const endpoint of tried) t.notOk(picked.has(endpoint))
  })
}

t.test('least-request: weights count after a failure too', async t => {
  const list = endpoints({ a: 1, heavy: 3, light: 1 })
  const strategy = new LeastRequest(seeded(9))
  const counts = tally(Array.from({ length: 4000 }, () => idOf(strategy.pick(list, context(list.slice(0, 1))))))
  t.equal(Math.abs((counts.heavy ?? 0) - 3000) < 150, true, `${counts.heavy} of 4000`)
})

// lib/balancing/peak-ewma.ts

/** An attempt that is over. */
function serve (endpoint: Endpoint | undefined, latency: number, now: number, outcome: Outcome = 'success'): void {
  endpoint?.begin()
  endpoint?.record(outcome, now - latency, now)
  endpoint?.end()
}

t.test('the one where a request takes the least time is picked', async t => {
  const list = endpoints({ slow: 1, fast: 1 })
  const [slow, fast] = list as [Endpoint, Endpoint]
  const strategy = new PeakEwma(seeded(1))
  serve(slow, 40, 100)
  serve(fast, 10, 100)
  t.equal(strategy.pick(list, context([], undefined, 100)), fast)
  for (let attempt = 0; attempt < 4; attempt++) fast.begin()
  t.equal(strategy.pick(list, context([], undefined, 100)), slow, 'the fifth at 10 ms takes longer than one at 40')
})

t.test('where the best one is full the next best is picked', async t => {
  for (const strategy of [new PeakEwma(seeded(1)), new LeastRequest(seeded(1))]) {
    const list = endpoints({ best: 1, good: 1, bad: 1, worse: 1 })
    list.forEach((endpoint, index) => {
      endpoint.record('success', 0, 10 ** index, 10 ** index, 'measured')
      for (let count = 0; count < index; count++) endpoint.begin()
    })
    const full = { ...context(), isFull: (endpoint: Endpoint) => idOf(endpoint) === 'best' }
    const picked = tally(Array.from({ length: 100 }, () => idOf(strategy.pick(list, full))))
    t.same(Object.keys(picked), ['good'])
  }
})

t.test('with nothing known, those are picked first that nothing was sent to', async t => {
  const list = endpoints({ a: 1, b: 1, c: 1 })
  const strategy = new PeakEwma(seeded(2))
  const picked = Array.from({ length: 6 }, () => {
    const endpoint = strategy.pick(list, context()) as Endpoint
    endpoint.begin()
    return idOf(endpoint)
  })
  t.same(tally(picked.slice(0, 3)), { a: 1, b: 1, c: 1 })
  t.same(tally(picked), { a: 2, b: 2, c: 2 })
})

t.test('a newcomer counts as fast as the others are, so that it is neither flooded nor starved', async t => {
  const before = endpoints({ a: 1, b: 1, c: 1 })
  const strategy = new PeakEwma(seeded(3))
  before.forEach((endpoint, index) => serve(endpoint, 10 * (index + 1), 100))
  const newcomer = endpointOf(instance({ id: 'new' }))
  strategy.pick([...before, newcomer], context([], undefined, 100))
  t.equal(newcomer.latencyLevel, before[1]?.latencyLevel, 'the median')
})

t.test('where two are in the middle a newcomer counts as fast as the faster one', async t => {
  for (const known of [2, 4]) {
    const before = endpoints(many(known))
    before.forEach((endpoint, index) => serve(endpoint, 10 * 5 ** index, 100))
    const newcomer = endpointOf(instance({ id: 'new' }))
    new PeakEwma(seeded(3)).pick([...before, newcomer], context([], undefined, 100))
    t.equal(newcomer.latencyLevel, before[known / 2 - 1]?.latencyLevel, `of ${known}`)
  }
})

t.test('a newcomer among very fast ones counts 1 ms', async t => {
  const [old, newcomer] = endpoints({ a: 1, new: 1 }) as [Endpoint, Endpoint]
  serve(old, 0.1, 100)
  new PeakEwma(seeded(3)).pick([old, newcomer], context([], undefined, 100))
  t.equal(Math.exp(newcomer.latencyLevel - 100 / 5000).toFixed(3), '1.000')
})

t.test('who fails fast gets no more than who is slow', async t => {
  const list = endpoints({ failing: 1, fine: 1 })
  const [failing, fine] = list as [Endpoint, Endpoint]
  serve(failing, 1, 100, 'failure')
  serve(fine, 400, 100)
  const strategy = new PeakEwma(seeded(4))
  for (let pick = 0; pick < 10; pick++) t.equal(strategy.pick(list, context([], undefined, 100)), fine)
})

t.test('an error that comes in a bad moment of others costs an instance little', async t => {
  const pace = new Pace()
  const make = (id: string) => new Endpoint(instance({ id }), { warningShare: 0.1, pace })
  const costOfError = (): number => {
    const endpoint = make('fine')
    endpoint.begin()
    endpoint.record('success', 1999, 2000, 1, 'untypical')
    return Math.exp(endpoint.latencyLevel - 2000 / memory)
  }
  const stalled = make('stalled')
  for (let now = 10; now <= 1000; now += 10) serve(stalled, 10, now)
  t.equal(costOfError().toFixed(3), '10.000')
  for (let each = 0; each < 50; each++) stalled.begin()
  for (let each = 0; each < 50; each++) {
    stalled.record('success', 1000, 2000, 1000, 'measured')
    stalled.end()
    t.equal(costOfError() < 200, true, `${costOfError()} ms`)
  }
})

t.test('an error costs no less than proper responses usually do, however fast the last one was', async t => {
  const pace = new Pace()
  for (let each = 0; each < 1000; each++) pace.learn(10)
  pace.learn(0.01)
  t.equal(Math.round(pace.latency), 10)
  pace.learn(30)
  t.equal(pace.latency, 30)
})

t.test('the first response is not what is usual', async t => {
  const pace = new Pace()
  for (const latency of [400, ...Array(30).fill(10)]) pace.learn(latency)
  t.equal(pace.latency < 25, true, `${pace.latency} ms`)
})

t.test('an error costs no more than a failure does', async t => {
  const pace = new Pace()
  pace.learn(60_000)
  const endpoint = new Endpoint(instance(), { warningShare: 0.1, pace })
  endpoint.begin()
  endpoint.record('success', 0, 1, 1, 'untypical')
  t.equal(Math.exp(endpoint.latencyLevel - 1 / memory).toFixed(3), '5000.000')
})

t.test('who was slow or failed is tried again, at the latest after 18 s without a request', async t => {
  for (const outcome of ['success', 'failure'] as const) {
    const list = endpoints({ bad: 1, a: 1, b: 1 })
    const [bad, a, b] = list as [Endpoint, Endpoint, Endpoint]
    const strategy = new PeakEwma(seeded(5))
    serve(bad, 60_000, 0, outcome)
    let now = 0
    for (; now < 60_000; now += 10) {
      serve(a, 2, now)
      serve(b, 2, now)
      if (strategy.pick(list, context([], undefined, now)) === bad) break
    }
    t.equal(now > 14_000 && now <= 18_000, true, `after ${now} ms`)
  }
})

t.test('groups with one in common take nothing from each other', async t => {
  const [fast, other, shared, ...slow] = endpoints({ fast: 1, other: 1, shared: 1, a: 1, b: 1 })
  const [inFast, inSlow] = [[fast, other, shared], [shared, ...slow]] as [Endpoint[], Endpoint[]]
  const strategies = [new PeakEwma(seeded(6)), new PeakEwma(seeded(7))] as const
  for (let now = 0; now < 20_000; now += 100) {
    for (const endpoint of inFast) serve(endpoint, endpoint === shared ? 1000 : 2, now)
    for (const endpoint of slow) serve(endpoint, 1000, now)
    t.not(strategies[0].pick(inFast, context([], undefined, now)), shared)
    strategies[1].pick(inSlow, context([], undefined, now))
    t.equal(shared?.latencyLevel.toFixed(6), slow[0]?.latencyLevel.toFixed(6))
  }
})

t.test('who was fast keeps what is known of it, however long nothing is sent', async t => {
  const [fast, fair, slow] = endpoints({ fast: 1, fair: 1, slow: 1 }) as unknown as [Endpoint, Endpoint, Endpoint]
  serve(fast, 10, 0)
  serve(fair, 20, 0)
  serve(slow, 30, 0)
  const { latencyLevel } = fast
  t.equal(new PeakEwma(seeded(8)).pick([fast, fair, slow], context([], undefined, 60_000)), fast)
  t.equal(fast.latencyLevel, latencyLevel)
})

t.test('of many, all are picked but the slow ones', async t => {
  const list = endpoints(Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`i${index}`, 1])))
  list.forEach((endpoint, index) => serve(endpoint, index === 0 ? 500 : 5, 100))
  const strategy = new PeakEwma(seeded(6))
  const counts = tally(Array.from({ length: 6500 }, () => idOf(strategy.pick(list, context([], undefined, 100)))))
  t.equal(counts.i0, undefined)
  t.equal(Object.keys(counts).length, 64)
})

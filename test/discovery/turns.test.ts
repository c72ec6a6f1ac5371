import t from 'tap'
import { Connectivity } from '../../lib/consul/connectivity.ts'
import { FirstCalls } from '../../lib/discovery/first-calls.ts'
import { heatAfter, hottestFirst, takeovers } from '../../lib/discovery/rank.ts'
import { Turns } from '../../lib/discovery/turns.ts'
import { ServiceView } from '../../lib/discovery/view.ts'
import { ApiUnreachableError } from '../../lib/errors.ts'
import { seeded } from '../balancing/helpers.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { ManualClock } from '../support/manual-clock.ts'
import type { Teardown } from '../support/teardown.ts'
import { until } from '../support/wait.ts'

// lib/discovery/turns.ts

/** A piece of work that ends when it is told to. */
function workOf (log: string[], name: string) {
  let resolve = (): void => {}
  let reject = (_: Error): void => {}
  const promise = new Promise<void>((...ends) => { [resolve, reject] = ends })
  const work = () => {
    log.push(name)
    return promise
  }
  return { work, resolve: () => resolve(), reject: (error: Error) => reject(error) }
}

const settle = () => new Promise(resolve => { setImmediate(resolve) })

t.test('so many are in at a time, and the others come in their order', async t => {
  const turns = new Turns(2)
  const log: string[] = []
  const works = ['a', 'b', 'c', 'd'].map(name => workOf(log, name))
  const done = works.map(({ work }) => turns.take(work))
  await settle()
  t.same(log, ['a', 'b'])
  works[1]!.resolve()
  await settle()
  t.same(log, ['a', 'b', 'c'])
  works[0]!.reject(new Error('broken'))
  await t.rejects(done[0]!, { message: 'broken' })
  t.same(log, ['a', 'b', 'c', 'd'], 'who fails makes room too')
  for (const { resolve } of works) resolve()
  await Promise.all(done.slice(1))
  await turns.take(async () => { log.push('later') })
  t.equal(log.at(-1), 'later')
})

t.test('who is turned away never begins; who is in goes on, and others may come', async t => {
  const turns = new Turns(1)
  const log: string[] = []
  const inside = workOf(log, 'inside')
  const first = turns.take(inside.work)
  const waiting = [1, 2].map(() => turns.take(workOf(log, 'turned away').work))
  turns.turnAway(new Error('full'))
  for (const one of waiting) await t.rejects(one, { message: 'full' })
  const next = turns.take(async () => { log.push('next') })
  inside.resolve()
  await Promise.all([first, next])
  t.same(log, ['inside', 'next'])
})

t.test('twenty thousand may wait', async t => {
  const turns = new Turns(1)
  let done = 0
  await Promise.all(Array.from({ length: 20_000 }, () => turns.take(async () => { done++ })))
  t.equal(done, 20_000)
})

// First calls in turn

const away = new ApiUnreachableError('GET it', 'away')

function start (t: Teardown, ask: (view: ServiceView, timeout: number) => Promise<void>) {
  const clock = new ManualClock()
  const { logger } = collectingLogger()
  let isAway = false
  const probe = async () => { if (isAway) throw away }
  const connectivity = new Connectivity({ probe, logger, clock, random: () => 0.5 })
  t.teardown(() => connectivity.close())
  const closed = new AbortController()
  const firstCalls = new FirstCalls({ ask, timeout: 5000, connectivity, clock, closed: closed.signal })
  const lose = async () => {
    isAway = true
    connectivity.report(away)
    await until(() => {
      clock.advance(10)
      return !connectivity.up
    })
  }
  return { clock, firstCalls, closed, connectivity, lose, comeBack: () => { isAway = false } }
}

const viewOf = (name: string) => new ServiceView({ name, datacenter: undefined, filter: undefined, near: undefined })

t.test('three questions are under way at a time, and each has the whole limit', async t => {
  const under: (() => void)[] = []
  const limits: number[] = []
  let most = 0
  let running = 0
  const { clock, firstCalls } = start(t, async (_, timeout) => {
    limits.push(timeout)
    most = Math.max(most, ++running)
    await new Promise<void>(resolve => { under.push(resolve) })
    running--
  })
  const calls = Array.from({ length: 20 }, (_, i) => firstCalls.askPatiently(viewOf(`s${i}`)))
  while (limits.length < 20) {
    await until(() => under.length > 0)
    clock.advance(4000)
    for (const end of under.splice(0)) end()
  }
  await until(() => under.splice(0).every(end => end() === undefined) && running === 0)
  await Promise.all(calls)
  t.equal(most, 3)
  t.same(limits, Array(20).fill(5000))
})

t.test('an agent that is away is waited for as long as the limit says, and is then asked once more', async t => {
  const asked: number[] = []
  const { clock, firstCalls, connectivity, lose, comeBack } = start(t, async (_, timeout) => { asked.push(timeout) })
  await lose()
  const early = firstCalls.askPatiently(viewOf('early'))
  clock.advance(4999)
  t.same(asked, [])
  clock.advance(1)
  await early
  t.same(asked, [], 'it did not come back')
  const late = firstCalls.askPatiently(viewOf('late'))
  clock.advance(1000)
  comeBack()
  await until(() => {
    clock.advance(10)
    return connectivity.up
  })
  await until(() => {
    clock.advance(10)
    return asked.length > 0
  })
  await late
  t.equal(asked.length, 1)
  t.ok(asked[0]! > 0 && asked[0]! <= 4000, 'within what is left of the limit')
})

t.test('who does not want to wait is not kept waiting', async t => {
  const { firstCalls, lose } = start(t, async () => { t.fail('nobody is asked') })
  await lose()
  await firstCalls.ask(viewOf('web'))
})

t.test('after close nobody waits or asks', async t => {
  const { clock, firstCalls, closed, lose } = start(t, async () => { t.fail('nobody is asked') })
  await lose()
  const call = firstCalls.askPatiently(viewOf('web'))
  closed.abort(new Error('closed'))
  await call
  await firstCalls.askPatiently(viewOf('db'))
  t.equal(clock.pending.some(due => due > 2000), false, 'and no limit is left over')
})

// lib/discovery/rank.ts

const of = (...heats: number[]) => heats.map(heat => ({ heat }))

t.test('a call counts half after 30 s', async t => {
  t.equal(heatAfter(0, 8, 5000), 8)
  t.equal(heatAfter(8, 0, 30_000), 4)
  t.equal(heatAfter(8, 3, 60_000), 5)
})

t.test('the hottest come first', async t => {
  t.same(hottestFirst(of(1, 3, 2)), of(3, 2, 1))
})

t.test('who is called more than twice as often takes the watch of the one that is called least', async t => {
  t.same(takeovers(of(100, 5), of(4, 26)), [of(26, 5)])
  t.same(takeovers(of(0, 0), of(30, 40, 50)), [of(50, 0), of(40, 0)], 'only as many as there are')
})

t.test('who is called a little more does not', async t => {
  t.same(takeovers(of(100, 50), of(109, 99)), [])
  t.same(takeovers(of(0, 0), of(9, 9)), [], 'nor for a few calls')
  t.same(takeovers(of(), of(100)), [])
})

/** Virtual time: services with so many calls a second each, looked at every 5 s for as many seconds. */
function simulate (rates: readonly number[], watches: number, seconds: number) {
  const random = seeded(1)
  let watched = rates.map((rate, id) => ({ id, rate, heat: 0 }))
  let polled = watched.splice(watches)
  let moves = 0
  for (let at = 0; at < seconds; at += 5) {
    for (const each of [...watched, ...polled]) each.heat = heatAfter(each.heat, poisson(each.rate * 5, random), 5000)
    for (const [hot, cold] of takeovers(watched, polled)) {
      moves++
      watched = watched.map(each => each === cold ? hot : each)
      polled = polled.map(each => each === hot ? cold : each)
    }
  }
  return { moves, watched: watched.map(({ id }) => id) }
}

function poisson (mean: number, random: () => number): number {
  let count = 0
  for (let left = Math.exp(-mean), product = random(); product > left; product *= random()) count++
  return count
}

for (const rate of [0.01, 0.1, 0.5, 3]) {
  t.test(`a thousand services called alike, ${rate} times a second, keep their watches for an hour`, async t => {
    const { moves } = simulate(Array<number>(1000).fill(rate), 64, 3600)
    t.ok(moves <= 10, `${moves} moves`)
  })
}

t.test('the most called ones have the watches within a minute, and then nothing moves any longer', async t => {
  const rates = Array.from({ length: 1000 }, (_, id) => id >= 936 ? 5 : 0.1)
  const early = simulate(rates, 64, 60)
  t.same(early.watched.toSorted((a, b) => a - b), Array.from({ length: 64 }, (_, i) => 936 + i))
  t.equal(simulate(rates, 64, 3600).moves, early.moves)
})

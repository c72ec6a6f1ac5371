import { exponential, type Scenario } from './run.ts'
import type { Behaviour } from './server.ts'

type Random = () => number

/** So many servers that all do the same. */
function same (count: number, behaviour: Behaviour): Behaviour[] {
  return Array.from({ length: count }, () => behaviour)
}

const between = (random: Random, low: number, high: number): number => low + random() * (high - low)

/** What each is about stands in the table of docs/balancing.md. */
export interface NamedScenario extends Scenario {
  readonly title: string
  /** What the table shows. */
  readonly shows: 'latency' | 'errors'
}

const usual = (random: Random) => () => ({ time: exponential(random, 10) })

/** One of three takes requests and never answers, as a process that is stopped, and goes on after 20 s. */
export const stopped = {
  servers: random => [
    now => now >= 10_000 && now < 30_000 ? { time: 0, reply: 'silent' } : { time: exponential(random, 2) },
    ...same(2, () => ({ time: exponential(random, 2) }))
  ],
  rate: 1000,
  duration: 62_000,
  timeout: 250
} as const satisfies Scenario

/** So many that do the same, 85 % busy, one request at a time each. */
export function alike (count: number): Scenario {
  return { servers: random => same(count, usual(random)), concurrency: 1, rate: 85 * count, duration: 3000 }
}

/** Cold start, slow middle, temporary and permanent failure are named as in Finagle's balancersim. */
export const scenarios = {
  buoyant: {
    title: 'one of eleven answers after 2 s for half of the time (Buoyant, 2016)',
    shows: 'latency',
    servers: random => [
      now => ({ time: now >= 15_000 && now < 45_000 ? 2000 : between(random, 20, 180) }),
      ...same(10, () => ({ time: between(random, 20, 180) }))
    ],
    rate: 500,
    duration: 60_000
  },
  healthy: {
    title: 'ten alike, 70 % busy, eight requests at a time each',
    shows: 'latency',
    servers: random => same(10, usual(random)),
    concurrency: 8,
    rate: 5600,
    duration: 4000
  },
  slow: {
    title: 'the same, one of them ten times as slow',
    shows: 'latency',
    servers: random => [() => ({ time: exponential(random, 100) }), ...same(9, usual(random))],
    concurrency: 8,
    rate: 5600,
    duration: 4000
  },
  zone: {
    title: 'a third of 96, next to each other in the list, ten times as slow as the others',
    shows: 'latency',
    servers: random => [...same(32, () => ({ time: exponential(random, 100) })), ...same(64, usual(random))],
    concurrency: 8,
    rate: 5000,
    duration: 4000
  },
  unequal: {
    title: 'capacities of 1, 2 and 4, three quarters of it used',
    shows: 'latency',
    servers: random => [20, 20, 20, 10, 10, 10, 5, 5, 5].map(mean => () => ({ time: exponential(random, mean) })),
    concurrency: 1,
    rate: 787.5,
    duration: 20_000
  },
  unequalClients: {
    title: 'the same from 100 clients that know nothing of each other',
    shows: 'latency',
    servers: random => [20, 20, 20, 10, 10, 10, 5, 5, 5].map(mean => () => ({ time: exponential(random, mean) })),
    concurrency: 1,
    rate: 787.5,
    duration: 20_000,
    clients: 100
  },
  busy: {
    title: 'ten alike, 85 % busy, one request at a time each',
    shows: 'latency',
    servers: random => same(10, usual(random)),
    concurrency: 1,
    rate: 850,
    duration: 20_000
  },
  clients: {
    title: 'the same from 20 clients that know nothing of each other',
    shows: 'latency',
    servers: random => same(10, usual(random)),
    concurrency: 1,
    rate: 850,
    duration: 20_000,
    clients: 20
  },
  manyClients: {
    title: 'the same from 100 clients',
    shows: 'latency',
    servers: random => same(10, usual(random)),
    concurrency: 1,
    rate: 850,
    duration: 20_000,
    clients: 100
  },
  stall: {
    title: 'one of ten stands still for 1 s every 5 s',
    shows: 'latency',
    servers: random => [
      now => ({ time: exponential(random, 5) + (now % 5000 < 1000 ? 1000 - now % 5000 : 0) }),
      ...same(9, () => ({ time: exponential(random, 5) }))
    ],
    rate: 500,
    duration: 40_000
  },
  coldStart: {
    title: 'cold start: a tenth one joins, ten times as slow for 10 s',
    shows: 'latency',
    servers: random => [
      ...same(9, usual(random)), now => ({ time: exponential(random, now < 15_000 ? 100 : 10) })
    ],
    concurrency: 2,
    rate: 1000,
    duration: 20_000,
    listed: { at: 5000, servers: 9 }
  },
  slowMiddle: {
    title: 'slow middle: half of ten are five times as slow for a third of the time',
    shows: 'latency',
    servers: random => [
      ...same(5, now => ({ time: exponential(random, now >= 5000 && now < 10_000 ? 50 : 10) })),
      ...same(5, usual(random))
    ],
    concurrency: 8,
    rate: 1500,
    duration: 15_000
  },
  temporaryFailure: {
    title: 'temporary failure: one of ten answers 503 at once for a third of the time',
    shows: 'errors',
    servers: random => [
      now => now >= 10_000 && now < 20_000 ? { time: 1, reply: 'refused' } : usual(random)(), ...same(9, usual(random))
    ],
    rate: 500,
    duration: 30_000
  },
  permanentFailure: {
    title: 'permanent failure: one of ten answers 503 at once',
    shows: 'errors',
    servers: random => [() => ({ time: 1, reply: 'refused' }), ...same(9, usual(random))],
    rate: 1000,
    duration: 20_000
  },
  background: {
    title: '2 % of all answers are 503; one of three gives no other for two thirds of the time',
    shows: 'errors',
    servers: random => {
      const usually = () => ({ time: exponential(random, 10), reply: random() < 0.02 ? 'refused' : 'served' } as const)
      return [now => now >= 10_000 ? { time: 1, reply: 'refused' } : usually(), ...same(2, usually)]
    },
    rate: 1000,
    duration: 30_000
  },
  errors: {
    title: 'one of ten answers 404 or 500 at once, which counts for no failure',
    shows: 'errors',
    servers: random => [() => ({ time: 1, reply: 'error' }), ...same(9, usual(random))],
    rate: 1000,
    duration: 20_000
  },
  errorsOfThree: {
    title: 'one of three does; ten callers send one request after the other',
    shows: 'errors',
    servers: random => [() => ({ time: 1, reply: 'error' }), ...same(2, usual(random))],
    callers: 10,
    duration: 10_000
  },
  errorsOfTen: {
    title: 'one of ten does; ten such callers',
    shows: 'errors',
    servers: random => [() => ({ time: 1, reply: 'error' }), ...same(9, usual(random))],
    callers: 10,
    duration: 10_000
  },
  dead: {
    title: 'one of ten cannot be connected to',
    shows: 'errors',
    servers: random => [() => ({ time: 0.2, reply: 'unsent' }), ...same(9, usual(random))],
    rate: 1000,
    duration: 10_000
  },
  silent: {
    title: 'one of ten takes requests and never answers, for a third of the time; limit of an attempt 250 ms',
    shows: 'errors',
    servers: random => [
      now => now >= 10_000 && now < 20_000 ? { time: 0, reply: 'silent' } : usual(random)(), ...same(9, usual(random))
    ],
    rate: 500,
    duration: 30_000,
    timeout: 250
  },
  halfFailing: {
    title: 'one of ten answers 503 to half of its requests',
    shows: 'errors',
    servers: random => [
      () => ({ time: exponential(random, 10), reply: random() < 0.5 ? 'refused' : 'served' }), ...same(9, usual(random))
    ],
    rate: 1000,
    duration: 20_000
  },
  overload: {
    title: 'ten alike are asked for 5 % more than they can do, and refuse what would have to wait long',
    shows: 'errors',
    servers: random => same(10, usual(random)),
    concurrency: 4,
    line: 8,
    rate: 4200,
    duration: 3000
  },
  halfDie: {
    title: 'half of 200 die: they take requests and never answer; limit of an attempt 250 ms',
    shows: 'errors',
    servers: random => [
      ...same(100, now => now >= 3000 ? { time: 0, reply: 'silent' } : usual(random)()), ...same(100, usual(random))
    ],
    rate: 2000,
    duration: 20_000,
    timeout: 250
  },
  outage: {
    title: 'total outage: all answer 503',
    shows: 'errors',
    servers: () => same(10, () => ({ time: 2, reply: 'refused' })),
    rate: 1000,
    duration: 15_000
  }
} as const satisfies Record<string, NamedScenario>

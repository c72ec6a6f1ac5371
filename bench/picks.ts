import { Balancer } from '../dist/balancing/balancer.js'
import type { Endpoint } from '../dist/balancing/endpoint.js'
import { ServiceInstance } from '../dist/consul/instance.js'
import { median } from './support/statistics.ts'

export interface PickFigures {
  readonly strategy: string
  readonly instances: number
  /** Nanoseconds of one pick, median over the rounds. */
  readonly time: number
  /** The same together with what is written down of the attempt: its begin, its latency, its end. */
  readonly whole: number
  /** Bytes that one pick leaves to the garbage collector. */
  readonly garbage: number
}

const strategies = ['round-robin', 'random', 'first', 'least-request', 'peak-ewma', 'consistent-hash'] as const
const sizes = [3, 10, 64, 1000, 10_000]
const rounds = 9

/** What it takes to choose an instance. */
export function benchPicks (picks: number): PickFigures[] {
  return sizes.flatMap(instances => strategies.map(strategy => {
    return { strategy, instances, ...pickOf(strategy, instances, picks) }
  }))
}

function pickOf (
  strategy: typeof strategies[number], size: number, picks: number
): Omit<PickFigures, 'strategy' | 'instances'> {
  const balancer = new Balancer({ warningShare: 0.1, random: Math.random, onGone () {} })
  const group = balancer.group('svc')
  const instances = Array.from({ length: size }, (_, index) => new ServiceInstance({
    id: `svc-${index}`,
    name: 'svc',
    address: '127.0.0.1',
    port: 1 + index,
    tags: [],
    meta: {},
    status: 'passing',
    weights: { passing: 1, warning: 1 },
    scheme: 'http',
    node: 'node',
    datacenter: 'dc1'
  }))
  const keys = Array.from({ length: 1024 }, (_, index) => `user-${index}`)
  const context = { service: 'svc', key: keys[0] as string, tried: [], now: 0, repeatable: true }
  const pick = (count: number): void => {
    for (let each = 0; each < count; each++) {
      context.key = keys[each % keys.length] as string
      if (group.pick(instances, strategy, context) === undefined) throw new Error('nothing was picked')
    }
  }
  const attempt = (count: number): void => {
    for (let each = 0; each < count; each++) {
      context.key = keys[each % keys.length] as string
      context.now += 0.01
      const endpoint = group.pick(instances, strategy, context) as Endpoint
      endpoint.begin()
      endpoint.record('success', context.now - 1 - each % 7, context.now)
      endpoint.end()
    }
  }
  // First of all, so that the strategies know of latencies.
  const whole = timeOf(attempt, picks)
  const time = timeOf(pick, picks)
  return { time, whole, garbage: garbageOf(pick) }
}

function timeOf (run: (count: number) => void, count: number): number {
  run(count)
  return median(Array.from({ length: rounds }, () => {
    const before = performance.now()
    run(count)
    return (performance.now() - before) * 1e6 / count
  }))
}

/** Bytes of one, the smallest of several: what else happens makes garbage too. */
function garbageOf (run: (count: number) => void): number {
  return Math.min(...Array.from({ length: rounds }, () => {
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    run(1000)
    return Math.max(0, process.memoryUsage().heapUsed - before) / 1000
  }))
}

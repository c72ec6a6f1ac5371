import { Balancer } from '../dist/balancing/balancer.js'
import type { Endpoint } from '../dist/balancing/endpoint.js'
import type { PickContext } from '../dist/balancing/strategy.js'
import { ServiceInstance } from '../dist/consul/instance.js'
import { resolveOptions } from '../dist/options/resolve.js'
import { garbageOf } from './support/garbage.ts'
import { median } from './support/statistics.ts'

export interface PickFigures {
  readonly strategy: string
  readonly group: string
  readonly instances: number
  /** Nanoseconds of one pick, median over the rounds. */
  readonly time: number
  /** The same together with what is written down of the attempt: its begin, its latency, its end. */
  readonly whole: number
  /** Bytes that one pick leaves to the garbage collector, median over the rounds. */
  readonly garbage: number
}

const strategies = ['round-robin', 'random', 'first', 'least-request', 'peak-ewma', 'consistent-hash'] as const
const groups = ['equal weights', 'unequal weights', 'one ejected'] as const
const sizes = [3, 10, 64, 1000, 10_000]
const rounds = 9
const keys = Array.from({ length: 1024 }, (_, index) => `user-${index}`)

interface Case {
  readonly strategy: typeof strategies[number]
  readonly group: typeof groups[number]
  readonly instances: number
}

/** What it takes to choose an instance, with ejection on. */
export function benchPicks (picks: number): PickFigures[] {
  const cases = sizes.flatMap(instances =>
    groups.flatMap(group => strategies.map(strategy => ({ strategy, group, instances }))))
  return cases.map(each => ({ ...each, ...pickOf(each, picks) }))
}

function pickOf ({ strategy, group: kind, instances: size }: Case, picks: number): Omit<PickFigures, keyof Case> {
  const balancer = balancerOf(kind)
  const group = balancer.group('svc')
  const instances = instancesOf(kind, size)
  const context = { service: 'svc', key: keys[0] as string, tried: [], now: 0, repeatable: true }
  if (kind === 'one ejected') eject(group.pick(instances, 'first', context) as Endpoint, context)
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
  const figures = { time: timeOf(pick, picks), whole, garbage: garbageOf(pick) }
  const isEjected = instances.some(instance => balancer.ejectionOf(instance) !== undefined)
  if (isEjected !== (kind === 'one ejected')) throw new Error(`${kind}: not what was measured`)
  return figures
}

function balancerOf (kind: Case['group']): Balancer {
  const { calls: { outlier }, balancer: { warningShare } } = resolveOptions({ service: false }, { environment: {} })
  if (outlier === false) throw new Error('ejection is off')
  // Who is ejected stays so while it is measured.
  const long = kind === 'one ejected' && { ejectionTime: 1e9, maxEjectionTime: 1e9 }
  return new Balancer({ warningShare, outlier: { ...outlier, ...long }, random: Math.random, onGone () {} })
}

function instancesOf (kind: Case['group'], size: number): ServiceInstance[] {
  return Array.from({ length: size }, (_, index) => {
    const weight = kind === 'unequal weights' ? 1 + index % 4 : 1
    return new ServiceInstance({
      id: `svc-${index}`,
      name: 'svc',
      address: '127.0.0.1',
      port: 1 + index,
      tags: [],
      meta: {},
      status: 'passing',
      weights: { passing: weight, warning: weight },
      scheme: 'http',
      node: 'node',
      datacenter: 'dc1'
    })
  })
}

function eject (endpoint: Endpoint, context: { now: number } & PickContext): void {
  while (endpoint.ejection === undefined) {
    endpoint.begin()
    endpoint.record('failure', context.now, context.now += 20)
    endpoint.end()
  }
}

function timeOf (run: (count: number) => void, count: number): number {
  run(count)
  return median(Array.from({ length: rounds }, () => {
    const before = performance.now()
    run(count)
    return (performance.now() - before) * 1e6 / count
  }))
}

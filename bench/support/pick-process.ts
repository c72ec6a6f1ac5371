// Measures what it takes one strategy (the first argument) to choose an instance, so many times (the second) a round,
// among the numbers of instances that follow.
import { Balancer } from '../../dist/balancing/balancer.js'
import type { Endpoint } from '../../dist/balancing/endpoint.js'
import type { PickContext } from '../../dist/balancing/strategy.js'
import { ServiceInstance } from '../../dist/consul/instance.js'
import type { StrategyName } from '../../dist/options/call-options.js'
import { resolveOptions } from '../../dist/options/resolve.js'
import type { PickFigures } from '../picks.ts'
import { garbageOf } from './garbage.ts'
import { median } from './statistics.ts'

const groups = ['equal weights', 'unequal weights', 'one ejected', 'half of them ejected', 'time over'] as const
type Kind = typeof groups[number]
const rounds = 9
/** Who is ejected stays so while it is measured. Milliseconds. */
const ejectionTime = 1e9
const keys = Array.from({ length: 1024 }, (_, index) => `user-${index}`)

const strategy = process.argv[2] as StrategyName
const picks = Number(process.argv[3])
const sizes = process.argv.slice(4).map(Number)
console.log(JSON.stringify(sizes.flatMap(size => groups.map((group): PickFigures => {
  return { strategy, group, instances: size, ...figuresOf(group, size) }
}))))

function figuresOf (kind: Kind, size: number): Pick<PickFigures, 'time' | 'whole' | 'garbage'> {
  const balancer = balancerOf()
  const group = balancer.group('svc')
  const instances = instancesOf(kind, size)
  const context = {
    service: 'svc', key: keys[0] as string, tried: [], now: 0.5, sends: true, repeatable: true, isFull: () => false
  }
  // From then on it knows all of them.
  group.pick(instances, 'first', context)
  const alone = balancer.group('svc', 'alone')
  for (const instance of ejectedOf(kind, instances)) {
    eject(alone.pick([instance], 'first', context) as Endpoint, context)
  }
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
  if (kind === 'time over') context.now += ejectionTime
  const figures = { time: timeOf(pick, picks), whole, garbage: garbageOf(pick) }
  const isEjected = instances.some(instance => balancer.ejectionOf(instance) !== undefined)
  if (isEjected !== (ejectedOf(kind, instances).length > 0)) throw new Error(`${kind}: not what was measured`)
  return figures
}

function ejectedOf (kind: Kind, instances: readonly ServiceInstance[]): readonly ServiceInstance[] {
  if (kind === 'half of them ejected') return instances.slice(0, instances.length / 2)
  return kind === 'one ejected' || kind === 'time over' ? instances.slice(-1) : []
}

function balancerOf (): Balancer {
  const { calls: { outlier }, balancer: { warningShare } } = resolveOptions({ service: false }, { environment: {} })
  if (outlier === false) throw new Error('ejection is off')
  const long = { ejectionTime, maxEjectionTime: ejectionTime }
  return new Balancer({ warningShare, outlier: { ...outlier, ...long }, random: () => 0.5, onGone () {} })
}

function instancesOf (kind: Kind, size: number): ServiceInstance[] {
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

/** Of the CPU: what else runs on the machine does not count. Nanoseconds. */
function timeOf (run: (count: number) => void, count: number): number {
  run(count)
  return median(Array.from({ length: rounds }, () => {
    const before = process.cpuUsage()
    run(count)
    const { user, system } = process.cpuUsage(before)
    return (user + system) * 1000 / count
  }))
}

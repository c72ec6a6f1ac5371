import { Balancer } from '../../lib/balancing/balancer.ts'
import type { Endpoint } from '../../lib/balancing/endpoint.ts'
import type { Outcome } from '../../lib/balancing/outcome.ts'
import type { StrategyChoice } from '../../lib/balancing/strategies.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { attempted, idOf, instance, tally } from './helpers.ts'

/** The defaults of the options. */
export const outlier = {
  consecutiveFailures: 5, successRate: 0.5, ejectionTime: 5000, maxEjectionTime: 300_000, maxEjected: 0.5
}

/** A service in the test's own time. Ejections last exactly as long as they say, if the random number is the middle. */
export class Service {
  now = 1000
  instances: readonly ServiceInstance[]
  readonly turns: string[] = []
  readonly balancer: Balancer
  readonly #strategy: StrategyChoice

  constructor (ids: string, strategy: StrategyChoice = 'round-robin', options = outlier, random = () => 0.5) {
    this.instances = [...ids].map(id => instance({ id }))
    this.#strategy = strategy
    this.balancer = new Balancer({
      warningShare: 0.1,
      outlier: options,
      random,
      onGone () {},
      onTurn: (endpoint, turn) => this.turns.push(`${idOf(endpoint)} ${turn}`)
    })
    for (const { id } of this.instances) this.endpoint(id)
  }

  pick ({ tried = [] as Endpoint[], repeatable = true, key = undefined as string | undefined } = {}) {
    const context = { service: 'svc', key, tried, now: this.now, ...attempted, repeatable }
    return this.balancer.group('svc').pick(this.instances, this.#strategy, context) as Endpoint
  }

  endpoint (id: string): Endpoint {
    return this.balancer.group('svc', 'all').pick(this.instances.filter(each => each.id === id), 'first', {
      service: 'svc', key: undefined, tried: [], now: this.now, ...attempted, repeatable: false
    }) as Endpoint
  }

  /** Attempts one after the other, 20 ms each. */
  attempt (endpoint: Endpoint, outcome: Outcome, count = 1): void {
    for (let each = 0; each < count; each++) {
      endpoint.begin()
      const startedAt = this.now
      this.now += 20
      endpoint.record(outcome, startedAt, this.now)
      endpoint.end()
    }
  }

  eject (id: string): Endpoint {
    const endpoint = this.endpoint(id)
    this.attempt(endpoint, 'failure', 5)
    return endpoint
  }

  /** Who gets so many calls that end at once. */
  picks (count: number, options: Parameters<Service['pick']>[0] = {}): Record<string, number> {
    return tally(Array.from({ length: count }, () => idOf(this.pick(options))))
  }
}

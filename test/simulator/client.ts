import { Balancer, type BalancerParts } from '../../lib/balancing/balancer.ts'
import type { Endpoint } from '../../lib/balancing/endpoint.ts'
import type { Outcome, Timing } from '../../lib/balancing/outcome.ts'
import type { Group } from '../../lib/balancing/group.ts'
import type { StrategyChoice } from '../../lib/balancing/strategies.ts'
import { RetryBudget } from '../../lib/calls/retry-budget.ts'
import { afterFailure, delayBefore } from '../../lib/calls/retry.ts'
import type { Random } from '../../lib/clock.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { AttemptTimeoutError } from '../../lib/errors.ts'
import type { Reply, SimulatedServer } from './server.ts'
import type { Simulation } from './simulation.ts'
import { attempted } from '../balancing/helpers.ts'

export interface ClientOptions {
  readonly strategy: StrategyChoice
  readonly outlier: BalancerParts['outlier'] & {}
  /** How often a request that was sent may be sent once more. */
  readonly retries: number
  /** Limit of an attempt. Milliseconds. */
  readonly timeout: number
}

/** The defaults of the options. */
export const outlier = {
  consecutiveFailures: 5, successRate: 0.5, ejectionTime: 5000, maxEjectionTime: 300_000, maxEjected: 0.5
} as const

/** The servers as a client finds them. */
export interface Fleet {
  /** Healthy ones. Another array whenever that changes. */
  instances: readonly ServiceInstance[]
  readonly servers: ReadonlyMap<string, SimulatedServer>
}

/** What became of requests. */
export interface Results {
  /** Milliseconds from the request to its answer or error, all attempts together. */
  readonly latencies: number[]
  errors: number
  /** Attempts of which anything was sent. */
  sent: number
}

/** What a reply says of its server. */
const said: Readonly<Record<Reply, { readonly outcome: Outcome, readonly timing: Timing }>> = {
  served: { outcome: 'success', timing: 'measured' },
  error: { outcome: 'success', timing: 'untypical' },
  limited: { outcome: 'neutral', timing: 'untypical' },
  refused: { outcome: 'failure', timing: 'untypical' },
  unsent: { outcome: 'failure', timing: 'unfinished' },
  silent: { outcome: 'failure', timing: 'unfinished' }
}

const unreachable = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

/** One process that calls the service: the balancer and the rules of retries are the real ones, the network is not. */
export class SimulatedClient {
  readonly #simulation: Simulation
  readonly #random: Random
  readonly #options: ClientOptions
  readonly #fleet: Fleet
  readonly #results: Results
  readonly #group: Group
  readonly #budget: RetryBudget

  constructor (simulation: Simulation, random: Random, options: ClientOptions, fleet: Fleet, results: Results) {
    this.#simulation = simulation
    this.#random = random
    this.#options = options
    this.#fleet = fleet
    this.#results = results
    const balancer = new Balancer({ warningShare: 0.1, outlier: options.outlier, random, onGone () {} })
    this.#group = balancer.group('svc')
    this.#budget = new RetryBudget({ ratio: 0.2, perSecond: 10 }, simulation)
  }

  /** `onEnd`: it has its answer or error. */
  request (onEnd = (): void => {}): void {
    this.#budget.deposit()
    this.#attempt({ tried: [], startedAt: this.#simulation.now(), unsent: 0, repeats: 0, onEnd })
  }

  #attempt (call: SimulatedCall): void {
    const now = this.#simulation.now()
    const { retries, strategy } = this.#options
    const endpoint = this.#group.pick(this.#fleet.instances, strategy, {
      service: 'svc', key: undefined, tried: call.tried, now, ...attempted, repeatable: retries > 0
    })
    if (endpoint === undefined) return this.#finish(call, false)
    call.tried.push(endpoint)
    endpoint.begin()
    let over = false
    const end = (reply: Reply): void => {
      if (over) return
      over = true
      const { outcome, timing } = said[reply]
      const endedAt = this.#simulation.now()
      const endsAt = timing === 'untypical' ? now + endpoint.usualLatency : endedAt
      endpoint.record(outcome, now, endedAt, endedAt - now, timing)
      if (endsAt > endedAt) this.#simulation.plan(endsAt - endedAt, () => endpoint.end())
      else endpoint.end()
      if (reply !== 'unsent') this.#results.sent++
      this.#proceed(call, endpoint, reply)
    }
    this.#simulation.plan(this.#options.timeout, () => end('silent'))
    this.#fleet.servers.get(endpoint.instance.id)?.handle(end)
  }

  #proceed (call: SimulatedCall, { instance: { name, id } }: Endpoint, reply: Reply): void {
    if (reply === 'served') return this.#finish(call, true)
    if (reply === 'error' || reply === 'limited') return this.#finish(call, false)
    if (reply === 'refused') return this.#repeat(call)
    const sent = reply !== 'unsent'
    if (!sent) call.unsent++
    const error = sent ? new AttemptTimeoutError(name, id, this.#options.timeout, 'calls.timeout') : unreachable
    switch (afterFailure({ error, sent, answered: false, unsent: call.unsent })) {
      case 'elsewhere': return this.#attempt(call)
      case 'repeat': return this.#repeat(call)
      default: return this.#finish(call, false)
    }
  }

  #repeat (call: SimulatedCall): void {
    const isLast = call.repeats >= this.#options.retries || call.tried.length >= this.#fleet.instances.length
    if (isLast || !this.#budget.withdraw()) return this.#finish(call, false)
    this.#simulation.plan(delayBefore(++call.repeats, this.#random), () => this.#attempt(call))
  }

  #finish (call: SimulatedCall, served: boolean): void {
    this.#results.latencies.push(this.#simulation.now() - call.startedAt)
    if (!served) this.#results.errors++
    call.onEnd()
  }
}

interface SimulatedCall {
  readonly tried: Endpoint[]
  readonly startedAt: number
  unsent: number
  repeats: number
  readonly onEnd: () => void
}

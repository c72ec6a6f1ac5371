import type { Random } from '../clock.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import type { Endpoint } from './endpoint.ts'
import type { Endpoints } from './endpoints.ts'
import { createStrategy, type StrategyChoice } from './strategies.ts'
import type { PickContext, Strategy } from './strategy.ts'

/** The instances that one kind of call may go to, and where each strategy stands among them. */
export class Group {
  readonly #endpoints: Endpoints
  readonly #random: Random
  readonly #strategies = new Map<string, Strategy>()
  #instances: readonly ServiceInstance[] = []
  /** Those that are picked. */
  #candidates: readonly Endpoint[] = []
  /** Those of weight 0 beside others of more: a last resort. */
  #spare: readonly Endpoint[] = []

  constructor (endpoints: Endpoints, random: Random) {
    this.#endpoints = endpoints
    this.#random = random
  }

  /**
   * Where the next attempt goes; `undefined` if every instance was tried, or the strategy wants none.
   *
   * @throws FST_CONSUL_INVALID_OPTION, and whatever else a strategy of the user's own throws
   */
  pick (
    instances: readonly ServiceInstance[], choice: StrategyChoice, context: PickContext
  ): Endpoint | undefined {
    if (instances !== this.#instances) this.#update(instances)
    const picked = this.#pick(choice, context)
    if (picked?.gone !== true) return picked
    // It has left another list, and stands in this one still.
    this.#update(instances)
    return this.#pick(choice, context)
  }

  #pick (choice: StrategyChoice, context: PickContext): Endpoint | undefined {
    if (!hasUntried(this.#candidates, context)) return this.#spare.find(endpoint => !context.tried.includes(endpoint))
    return this.#strategy(choice).pick(this.#candidates, context)
  }

  #update (instances: readonly ServiceInstance[]): void {
    const endpoints = instances.map(instance => this.#endpoints.of(instance))
    const weighted = endpoints.filter(({ weight }) => weight > 0)
    this.#candidates = weighted.length > 0 ? weighted : endpoints
    this.#spare = weighted.length > 0 ? endpoints.filter(({ weight }) => weight === 0) : []
    this.#instances = instances
  }

  #strategy (choice: StrategyChoice): Strategy {
    // A function keeps no state here, and may be another one in every call.
    if (typeof choice === 'function') return createStrategy(choice, this.#random)
    const known = this.#strategies.get(choice)
    if (known !== undefined) return known
    const strategy = createStrategy(choice, this.#random)
    this.#strategies.set(choice, strategy)
    return strategy
  }
}

function hasUntried (endpoints: readonly Endpoint[], { tried }: PickContext): boolean {
  return tried.length === 0 ? endpoints.length > 0 : endpoints.some(endpoint => !tried.includes(endpoint))
}

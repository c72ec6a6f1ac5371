import type { ServiceInstance } from '../consul/instance.ts'
import { InvalidOptionError } from '../errors.ts'
import type { StrategyFunction } from '../options/call-options.ts'
import type { Endpoint } from './endpoint.ts'
import type { PickContext, Strategy } from './strategy.ts'

/** What functions are given, by the list that it was made from: they may differ from call to call, the lists do not. */
const instancesOf = new WeakMap<readonly Endpoint[], readonly ServiceInstance[]>()

/** A function of the user's own, which sees instances. */
export class Custom implements Strategy {
  readonly goesBy = 'choice'
  readonly #choose: StrategyFunction

  constructor (choose: StrategyFunction) {
    this.#choose = choose
  }

  /**
   * If the one that is chosen is full the function may choose one that is not; if it wants none of those, the first
   * choice stays.
   *
   * @throws FST_CONSUL_INVALID_OPTION if the function returns something else than one of the instances
   */
  pick (endpoints: readonly Endpoint[], context: PickContext): Endpoint | undefined {
    const { tried } = context
    const left = tried.length === 0 ? endpoints : endpoints.filter(endpoint => !tried.includes(endpoint))
    const chosen = this.#chooseOf(left, context)
    if (chosen === undefined || !context.isFull(chosen)) return chosen
    const open = left.filter(endpoint => !context.isFull(endpoint))
    return this.#chooseOf(open, context) ?? chosen
  }

  #chooseOf (left: readonly Endpoint[], { service, key }: PickContext): Endpoint | undefined {
    if (left.length === 0) return undefined
    const instances = instancesIn(left)
    const chosen: unknown = this.#choose(instances, { service, key })
    if (chosen === undefined || chosen === null) return undefined
    const found = left[instances.indexOf(chosen as ServiceInstance)]
    if (found !== undefined) return found
    // A promise that rejects, and that nobody waits for, would end the process.
    Promise.resolve(chosen).catch(() => {})
    const expected = 'a function that returns one of the instances it is given'
    throw new InvalidOptionError('balance.strategy or balancer.strategy', expected, kindOf(chosen))
  }
}

function instancesIn (endpoints: readonly Endpoint[]): readonly ServiceInstance[] {
  const known = instancesOf.get(endpoints)
  if (known !== undefined) return known
  const instances = Object.freeze(endpoints.map(({ instance }) => instance))
  instancesOf.set(endpoints, instances)
  return instances
}

function kindOf (value: unknown): string {
  if (value instanceof Promise) return 'a promise'
  return `another ${typeof value}`
}

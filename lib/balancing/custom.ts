import { InvalidOptionError } from '../errors.ts'
import type { StrategyFunction } from '../options/types.ts'
import type { Endpoint } from './endpoint.ts'
import type { PickContext, Strategy } from './strategy.ts'

/** A function of the user's own, which sees instances. */
export class Custom implements Strategy {
  readonly goesBy = 'choice'
  readonly #choose: StrategyFunction

  constructor (choose: StrategyFunction) {
    this.#choose = choose
  }

  /** @throws FST_CONSUL_INVALID_OPTION if the function returns something else than one of the instances */
  pick (endpoints: readonly Endpoint[], { service, key, tried }: PickContext): Endpoint | undefined {
    const left = endpoints.filter(endpoint => !tried.includes(endpoint))
    const chosen: unknown = this.#choose(Object.freeze(left.map(({ instance }) => instance)), { service, key })
    if (chosen === undefined) return undefined
    const found = left.find(({ instance }) => instance === chosen)
    if (found !== undefined) return found
    throw new InvalidOptionError('strategy', 'a function that returns one of the instances it is given', kindOf(chosen))
  }
}

function kindOf (value: unknown): string {
  if (value instanceof Promise) return 'a promise'
  return value === null ? 'null' : `another ${typeof value}`
}

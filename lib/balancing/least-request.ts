import type { Random } from '../clock.ts'
import type { Endpoint } from './endpoint.ts'
import { leastUntried, scanLimit } from './least.ts'
import type { PickContext, Strategy } from './strategy.ts'
import { TwoChoices } from './two-choices.ts'

/** The one with the fewest attempts under way, for its weight: of all, or of two that are drawn if they are many. */
export class LeastRequest implements Strategy {
  readonly goesBy = 'load'
  readonly #random: Random
  readonly #choices: TwoChoices

  constructor (random: Random) {
    this.#random = random
    this.#choices = new TwoChoices(random)
  }

  pick (endpoints: readonly Endpoint[], { tried }: PickContext): Endpoint | undefined {
    if (tried.length > 0) return leastUntried(endpoints, tried, ({ load }) => load, this.#random)
    return endpoints.length > scanLimit ? this.#lesserOfTwo(endpoints) : this.#least(endpoints)
  }

  /** The search begins anywhere: of several that are equal it is not always the same one. */
  #least (endpoints: readonly Endpoint[]): Endpoint | undefined {
    const { length } = endpoints
    const start = Math.floor(this.#random() * length)
    let best = endpoints[start]
    let least = Infinity
    for (let step = 0, index = start; step < length; step++, index++) {
      if (index === length) index = 0
      const endpoint = endpoints[index] as Endpoint
      const { load } = endpoint
      if (load < least) {
        least = load
        best = endpoint
      }
    }
    return best
  }

  #lesserOfTwo (endpoints: readonly Endpoint[]): Endpoint | undefined {
    const one = this.#choices.first(endpoints)
    const other = this.#choices.second()
    return other.load < one.load ? other : one
  }
}

import type { Random } from '../clock.ts'
import type { Endpoint } from './endpoint.ts'
import type { PickContext, Strategy } from './strategy.ts'
import { TwoChoices } from './two-choices.ts'

/** Up to so many are all looked at, which finds better places than two at random and still takes less than 200 ns. */
export const scanLimit = 64

/** Picks the one of which there is the least, whatever that is: of all, or of two that are drawn if they are many. */
export abstract class Least implements Strategy {
  readonly goesBy = 'load'
  readonly #random: Random
  readonly #choices: TwoChoices

  constructor (random: Random) {
    this.#random = random
    this.#choices = new TwoChoices(random)
  }

  pick (endpoints: readonly Endpoint[], { tried }: PickContext): Endpoint | undefined {
    if (tried.length > 0) return this.#least(endpoints.filter(endpoint => !tried.includes(endpoint)))
    const drawn = this.#choices.first(endpoints)
    const other = endpoints.length > scanLimit ? this.#choices.second() : this.#least(endpoints) as Endpoint
    return this.measure(other) <= this.bar(drawn) ? other : drawn
  }

  /** How much there would be with one attempt more. */
  protected abstract measure (endpoint: Endpoint): number

  /** How little that must be for another to be picked instead of this one, which was drawn. */
  protected abstract bar (drawn: Endpoint): number

  /** The search begins anywhere: of several that are equal it is not always the same one. */
  #least (endpoints: readonly Endpoint[]): Endpoint | undefined {
    const { length } = endpoints
    const start = Math.floor(this.#random() * length)
    let best = endpoints[start]
    let least = Infinity
    for (let step = 0, index = start; step < length; step++, index++) {
      if (index === length) index = 0
      const endpoint = endpoints[index] as Endpoint
      const measure = this.measure(endpoint)
      if (measure < least) {
        least = measure
        best = endpoint
      }
    }
    return best
  }
}

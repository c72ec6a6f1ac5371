import type { Random } from '../clock.ts'
import { Dice } from './dice.ts'
import { Draws } from './draws.ts'
import type { Endpoint } from './endpoint.ts'
import type { PickContext, Strategy } from './strategy.ts'

/** Up to so many are all looked at, which finds better places than two at random and still takes less than 200 ns. */
export const scanLimit = 64

/** Picks the one of which there is the least, whatever that is: of all, or of two that are drawn if they are many. */
export abstract class Least implements Strategy {
  readonly goesBy = 'load'
  readonly #dice: Dice
  readonly #draws: Draws

  constructor (random: Random) {
    this.#dice = new Dice(random)
    this.#draws = new Draws(this.#dice)
  }

  pick (endpoints: readonly Endpoint[], { tried }: PickContext): Endpoint | undefined {
    const place = this.#draws.next(endpoints, tried)
    if (place === -1) return this.#least(endpoints, tried)
    const drawn = endpoints[place] as Endpoint
    const other = endpoints.length > scanLimit
      ? this.#another(endpoints, tried, place)
      : this.#least(endpoints, tried)
    return other !== undefined && this.isBetter(other, drawn) ? other : drawn
  }

  /** How much there would be with one attempt more. */
  protected abstract measure (endpoint: Endpoint): number

  /** Whether another one is picked in place of the one that was drawn. */
  protected abstract isBetter (other: Endpoint, drawn: Endpoint): boolean

  /** Drawn too. If that is the same one, as a heavy one often is, any other. */
  #another (endpoints: readonly Endpoint[], tried: readonly Endpoint[], first: number): Endpoint | undefined {
    const place = this.#draws.next(endpoints, tried)
    if (place !== first) return endpoints[place]
    const other = endpoints[(first + 1 + this.#dice.roll(endpoints.length - 1)) % endpoints.length] as Endpoint
    return tried.includes(other) ? undefined : other
  }

  /** The search begins anywhere: of several that are equal it is not always the same one. */
  #least (endpoints: readonly Endpoint[], tried: readonly Endpoint[]): Endpoint | undefined {
    const { length } = endpoints
    let best: Endpoint | undefined
    let least = Infinity
    for (let step = 0, index = this.#dice.roll(length); step < length; step++, index++) {
      if (index === length) index = 0
      const endpoint = endpoints[index] as Endpoint
      const measure = this.measure(endpoint)
      if (measure < least && (tried.length === 0 || !tried.includes(endpoint))) {
        least = measure
        best = endpoint
      }
    }
    return best
  }
}

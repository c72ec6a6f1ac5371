import type { Random } from '../clock.ts'
import { Dice } from './dice.ts'
import { Draws } from './draws.ts'
import type { Endpoint } from './endpoint.ts'
import { isOpen, type PickContext, type Strategy } from './strategy.ts'

/** Of more, fewer are looked at: they are not all at hand in the processor's caches. */
const few = 64

/** Half of 64 do as well as all of them, and of more a few do much better than two: measured in docs/balancing.md. */
const looks = { ofFew: 32, ofMany: 8 } as const

/** Picks the one of which there is the least, whatever that is: of one that is drawn by weight and some others. */
export abstract class Least implements Strategy {
  readonly goesBy = 'load'
  readonly #dice: Dice
  readonly #draws: Draws

  constructor (random: Random) {
    this.#dice = new Dice(random)
    this.#draws = new Draws(this.#dice)
  }

  pick (endpoints: readonly Endpoint[], context: PickContext, mayPick = isOpen): Endpoint | undefined {
    const place = this.#draws.next(endpoints, context, mayPick)
    const isWhole = place !== -1 && (context.tried.length === 0 || endpoints.length > few)
    const compared = isWhole ? endpoints : endpoints.filter(endpoint => mayPick(endpoint, context))
    if (compared.length === 0) return undefined
    const least = this.#leastOf(compared)
    if (place === -1) return least
    const drawn = endpoints[place] as Endpoint
    if (!this.isBetter(least, drawn)) return drawn
    if (mayPick(least, context)) return least
    if (endpoints.length > few) return drawn
    const next = this.#leastOf(endpoints.filter(endpoint => mayPick(endpoint, context)))
    return this.isBetter(next, drawn) ? next : drawn
  }

  /** How much there would be with one attempt more. */
  protected abstract measure (endpoint: Endpoint): number

  /** Whether another one is picked in place of the one that was drawn. */
  protected abstract isBetter (other: Endpoint, drawn: Endpoint): boolean

  #leastOf (endpoints: readonly Endpoint[]): Endpoint {
    return endpoints.length > few ? this.#leastOfMany(endpoints) : this.#leastOfFew(endpoints)
  }

  /**
   * Of some all over the list: instances of one node or zone stand together in it, or one after the other in a row that
   * comes again and again, and may all be slow. So the steps are long, and of different length.
   */
  #leastOfMany (endpoints: readonly Endpoint[]): Endpoint {
    const { length } = endpoints
    let index = this.#dice.roll(length)
    let step = Math.floor(length / looks.ofMany)
    let best = endpoints[index] as Endpoint
    let least = this.measure(best)
    for (let look = 1; look < looks.ofMany; look++) {
      index += step++
      if (index >= length) index -= length
      const endpoint = endpoints[index] as Endpoint
      const measure = this.measure(endpoint)
      if (measure < least) {
        least = measure
        best = endpoint
      }
    }
    return best
  }

  /** Of some next to each other, from anywhere on: of several that are equal it is not always the same one. */
  #leastOfFew (endpoints: readonly Endpoint[]): Endpoint {
    const { length } = endpoints
    const start = this.#dice.roll(length)
    const end = start + Math.min(length, looks.ofFew)
    const best = this.#leastIn(endpoints, start + 1, Math.min(end, length), endpoints[start] as Endpoint)
    return this.#leastIn(endpoints, 0, end - length, best)
  }

  /** Two loops like this take half of the time of one that goes round. */
  #leastIn (endpoints: readonly Endpoint[], from: number, to: number, first: Endpoint): Endpoint {
    let best = first
    let least = this.measure(first)
    for (let index = from; index < to; index++) {
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

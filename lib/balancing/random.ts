import type { Random } from '../clock.ts'
import { Dice } from './dice.ts'
import { Draws } from './draws.ts'
import type { Endpoint } from './endpoint.ts'
import { isOpen, type PickContext, type Strategy } from './strategy.ts'
import { positiveWeights } from './weights.ts'

/** At random, in proportion to the weights. */
export class WeightedRandom implements Strategy {
  readonly goesBy = 'turn'
  readonly #random: Random
  readonly #draws: Draws

  constructor (random: Random) {
    this.#random = random
    this.#draws = new Draws(new Dice(random))
  }

  pick (endpoints: readonly Endpoint[], context: PickContext, mayPick = isOpen): Endpoint | undefined {
    const place = this.#draws.next(endpoints, context, mayPick)
    return place === -1 ? this.#pickAmong(endpoints.filter(each => mayPick(each, context))) : endpoints[place]
  }

  /** For the few picks that leave most of them out: no table, one walk. */
  #pickAmong (endpoints: readonly Endpoint[]): Endpoint | undefined {
    const weights = positiveWeights(endpoints)
    let point = this.#random() * weights.reduce((sum, weight) => sum + weight, 0)
    return endpoints.find((_, index) => (point -= weights[index] as number) < 0) ?? endpoints.at(-1)
  }
}

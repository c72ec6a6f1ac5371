import { AliasTable } from './alias-table.ts'
import type { Dice } from './dice.ts'
import type { Endpoint } from './endpoint.ts'
import type { MayPick, PickContext } from './strategy.ts'
import { positiveWeights } from './weights.ts'

/** Who draws so often one that may not be picked had better look at all that are left. */
const mostDraws = 8

/** Draws endpoints in proportion to their weights, in constant time. */
export class Draws {
  readonly #dice: Dice
  #endpoints: readonly Endpoint[] = []
  /** `undefined`: all weigh the same. */
  #table: AliasTable | undefined

  constructor (dice: Dice) {
    this.#dice = dice
  }

  /** The place of one that may be picked; -1: none came up. */
  next (endpoints: readonly Endpoint[], context: PickContext, mayPick: MayPick): number {
    if (endpoints !== this.#endpoints) this.#build(endpoints)
    for (let draw = 0; draw < mostDraws; draw++) {
      const place = this.#table === undefined ? this.#dice.roll(endpoints.length) : this.#table.draw(this.#dice)
      if (mayPick(endpoints[place] as Endpoint, context)) return place
    }
    return -1
  }

  #build (endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints
    const weights = positiveWeights(endpoints)
    this.#table = weights.every(weight => weight === weights[0]) ? undefined : new AliasTable(weights)
  }
}

import { AliasTable } from './alias-table.ts'
import type { Dice } from './dice.ts'
import type { Endpoint } from './endpoint.ts'
import { positiveWeights } from './weights.ts'

/** Who draws so often where the call has been already had better look at all that are left. */
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

  /** The place of one that is not among `tried`; -1: none came up. */
  next (endpoints: readonly Endpoint[], tried: readonly Endpoint[]): number {
    if (endpoints !== this.#endpoints) this.#build(endpoints)
    for (let draw = 0; draw < mostDraws; draw++) {
      const place = this.#table === undefined ? this.#dice.roll(endpoints.length) : this.#table.draw(this.#dice)
      if (tried.length === 0 || !tried.includes(endpoints[place] as Endpoint)) return place
    }
    return -1
  }

  #build (endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints
    const weights = positiveWeights(endpoints)
    this.#table = weights.every(weight => weight === weights[0]) ? undefined : new AliasTable(weights)
  }
}

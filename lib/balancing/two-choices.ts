import type { Random } from '../clock.ts'
import { AliasTable } from './alias-table.ts'
import type { Endpoint } from './endpoint.ts'
import { positiveWeights } from './weights.ts'

/**
 * Draws two different ones of many, of which the better is taken: nearly as good as the best of all, in constant time.
 * Heavier ones are drawn more often, in proportion to their weights.
 */
export class TwoChoices {
  readonly #random: Random
  #endpoints: readonly Endpoint[] = []
  /** `undefined`: all weigh the same. */
  #table: AliasTable | undefined
  #first = 0

  constructor (random: Random) {
    this.#random = random
  }

  first (endpoints: readonly Endpoint[]): Endpoint {
    if (endpoints !== this.#endpoints) this.#build(endpoints)
    this.#first = this.#table?.draw(this.#random) ?? Math.floor(this.#random() * endpoints.length)
    return endpoints[this.#first] as Endpoint
  }

  /** The one to compare it with. */
  second (): Endpoint {
    const second = this.#table?.draw(this.#random) ?? this.#first
    return second === this.#first ? this.#anyOther() : this.#endpoints[second] as Endpoint
  }

  #anyOther (): Endpoint {
    const { length } = this.#endpoints
    const place = this.#first + 1 + Math.floor(this.#random() * (length - 1))
    return this.#endpoints[place < length ? place : place - length] as Endpoint
  }

  #build (endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints
    const weights = positiveWeights(endpoints)
    this.#table = weights.every(weight => weight === weights[0]) ? undefined : new AliasTable(weights)
  }
}

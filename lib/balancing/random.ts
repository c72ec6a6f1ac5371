import type { Random } from '../clock.ts'
import { AliasTable } from './alias-table.ts'
import type { Endpoint } from './endpoint.ts'
import type { PickContext, Strategy } from './strategy.ts'
import { positiveWeights } from './weights.ts'

/** At random, in proportion to the weights. */
export class WeightedRandom implements Strategy {
  readonly goesBy = 'turn'
  readonly #random: Random
  #endpoints: readonly Endpoint[] = []
  #table: AliasTable | undefined

  constructor (random: Random) {
    this.#random = random
  }

  pick (endpoints: readonly Endpoint[], { tried }: PickContext): Endpoint | undefined {
    if (tried.length > 0) return this.#pickAmong(endpoints.filter(endpoint => !tried.includes(endpoint)))
    if (this.#table === undefined || endpoints !== this.#endpoints) {
      this.#table = new AliasTable(positiveWeights(endpoints))
      this.#endpoints = endpoints
    }
    return endpoints[this.#table.draw(this.#random)]
  }

  /** For the few picks that leave some out: no table, one walk. */
  #pickAmong (endpoints: readonly Endpoint[]): Endpoint | undefined {
    const weights = positiveWeights(endpoints)
    let point = this.#random() * weights.reduce((sum, weight) => sum + weight, 0)
    return endpoints.find((_, index) => (point -= weights[index] as number) < 0) ?? endpoints.at(-1)
  }
}

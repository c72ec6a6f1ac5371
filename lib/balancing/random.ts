import type { Random } from '../clock.ts'
import type { Endpoint } from './endpoint.ts'
import type { PickContext, Strategy } from './strategy.ts'
import { positiveWeights } from './weights.ts'

/**
 * At random, in proportion to the weights, in constant time: each column of the table belongs to one endpoint up to
 * its threshold and to one other above it (Walker's alias method, built the way of Vose).
 */
export class WeightedRandom implements Strategy {
  readonly #random: Random
  #endpoints: readonly Endpoint[] = []
  #thresholds = new Float64Array()
  #aliases = new Uint32Array()

  constructor (random: Random) {
    this.#random = random
  }

  pick (endpoints: readonly Endpoint[], { tried }: PickContext): Endpoint | undefined {
    if (tried.length > 0) return this.#pickAmong(endpoints.filter(endpoint => !tried.includes(endpoint)))
    if (endpoints !== this.#endpoints) this.#build(endpoints)
    const point = this.#random() * endpoints.length
    const column = Math.floor(point)
    const own = point - column < (this.#thresholds[column] as number)
    return endpoints[own ? column : this.#aliases[column] as number]
  }

  /** For the few picks that leave some out: no table, one walk. */
  #pickAmong (endpoints: readonly Endpoint[]): Endpoint | undefined {
    const weights = positiveWeights(endpoints)
    let point = this.#random() * weights.reduce((sum, weight) => sum + weight, 0)
    return endpoints.find((_, index) => (point -= weights[index] as number) < 0) ?? endpoints.at(-1)
  }

  #build (endpoints: readonly Endpoint[]): void {
    const weights = positiveWeights(endpoints)
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length
    const thresholds = weights.map(weight => weight / mean)
    const aliases = new Uint32Array(weights.length)
    const below: number[] = []
    const above: number[] = []
    thresholds.forEach((share, index) => (share < 1 ? below : above).push(index))
    while (below.length > 0 && above.length > 0) {
      const [poor, rich] = [below.pop() as number, above.pop() as number]
      aliases[poor] = rich
      thresholds[rich] = (thresholds[rich] as number) - (1 - (thresholds[poor] as number))
      ;((thresholds[rich] as number) < 1 ? below : above).push(rich)
    }
    // Whatever is left misses 1 by rounding alone, and owns its column.
    for (const index of [...below, ...above]) thresholds[index] = 1
    this.#endpoints = endpoints
    this.#thresholds = thresholds
    this.#aliases = aliases
  }
}

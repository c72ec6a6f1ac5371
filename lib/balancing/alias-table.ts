import type { Dice } from './dice.ts'

/** In so many steps a column is divided between the two that it belongs to. */
const steps = 2 ** 30

/**
 * Draws places in proportion to their weights, in constant time: each column of the table belongs to one place up to
 * its threshold and to one other above it (Walker's alias method, built the way of Vose).
 */
export class AliasTable {
  readonly #thresholds: Float64Array
  readonly #aliases: Uint32Array

  /** @param weights none below 0, at least one above */
  constructor (weights: Float64Array) {
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
    this.#thresholds = thresholds.map(threshold => threshold * steps)
    this.#aliases = aliases
  }

  draw (dice: Dice): number {
    const column = dice.roll(this.#thresholds.length)
    return dice.roll(steps) < (this.#thresholds[column] as number) ? column : this.#aliases[column] as number
  }
}

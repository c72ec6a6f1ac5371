import type { Random } from '../clock.ts'

/**
 * Whole numbers at random (mulberry32, begun at random). They cost nothing, unlike the fractions that a function
 * returns: each of those is an object on the heap.
 */
export class Dice {
  #state: number

  constructor (random: Random) {
    this.#state = Math.floor(random() * 2 ** 32) | 0
  }

  /** From 0 to `sides` - 1; `sides` is up to 2^31. */
  roll (sides: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * sides)
  }
}

import type { Random } from './clock.ts'

export interface BackoffOptions {
  /** The first delay in milliseconds, before jitter. */
  initial: number
  /** The largest delay in milliseconds, before jitter. */
  max: number
  /** Every delay is the one before times this. Default 2. */
  factor?: number
  /** Share of the delay by which it may differ, up or down. Default 0.5. */
  jitter?: number
  random?: Random
}

/** Growing, jittered delays between tries, back to the first after a success. */
export class Backoff {
  readonly #options: Required<BackoffOptions>
  #next: number

  constructor (options: BackoffOptions) {
    this.#options = { factor: 2, jitter: 0.5, random: Math.random, ...options }
    this.#next = options.initial
  }

  /** The delay before the next try, in milliseconds. */
  next (): number {
    const { max, factor, jitter, random } = this.#options
    const base = this.#next
    this.#next = Math.min(base * factor, max)
    return base * (1 + jitter * (2 * random() - 1))
  }

  reset (): void {
    this.#next = this.#options.initial
  }
}

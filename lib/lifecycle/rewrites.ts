import type { Clock } from '../clock.ts'

/** So often within so many milliseconds is no accident: two processes have one id. */
const limit = 3
const period = 60_000

/** Counts how often someone else has written the entry of this service. */
export class Rewrites {
  readonly #clock: Clock
  #times: readonly number[] = []

  constructor (clock: Clock) {
    this.#clock = clock
  }

  /** One more. @returns whether it was one too many */
  add (): boolean {
    const now = this.#clock.now()
    this.#times = [...this.#times.filter(time => now - time < period), now]
    return this.#times.length >= limit
  }

  /** The id was given up by the other. */
  forget (): void {
    this.#times = []
  }
}

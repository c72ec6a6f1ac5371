/**
 * For how long a latency is remembered, in milliseconds: after that time it counts 1/e. Finagle's and Linkerd's 10 s
 * are twice that; an instance that was slow for half a minute gets its share back in half the time.
 */
export const memory = 5000

/** Nothing is faster than this, in milliseconds: a logarithm is taken of it. */
const fastest = 0.01

/**
 * A moving average of latencies that rises at once and falls slowly ("peak EWMA"), and falls without new ones too.
 *
 * Kept as the logarithm of the average plus the time at which it was worked out, in units of `memory`: all averages
 * fall alike, so two of them compare right at any later moment without a look at the clock, and the sum never
 * overflows.
 */
export class Ewma {
  /** Comparable with that of others; -Infinity: nothing is known. */
  #level = -Infinity
  #updatedAt = 0

  get level (): number { return this.#level }

  /** When it last changed. The clock's time. */
  get updatedAt (): number { return this.#updatedAt }

  /** Whether there is anything to go by. */
  get isKnown (): boolean { return this.#level !== -Infinity }

  /** A latency, in milliseconds, that was measured at `now`. */
  add (latency: number, now: number): void {
    const average = this.at(now)
    const remembered = Math.exp((this.#updatedAt - now) / memory)
    this.#set(latency > average ? latency : average + latency * (1 - remembered), now)
  }

  /** It would have been a latency of that much at the least: of an unknown one that says nothing. */
  addAtLeast (latency: number, now: number): void {
    if (this.isKnown && latency > this.at(now)) this.#set(latency, now)
  }

  /** Takes over a level, as long as nothing better is known. */
  assume (level: number, now: number): void {
    this.#level = level
    this.#updatedAt = now
  }

  forget (): void {
    this.#level = -Infinity
  }

  /** The average in milliseconds; 0: nothing is known. */
  at (now: number): number {
    return Math.exp(this.#level - now / memory)
  }

  #set (average: number, now: number): void {
    this.#level = levelOf(average, now)
    this.#updatedAt = now
  }
}

/** The level of an average of so many milliseconds now. */
export function levelOf (average: number, now: number): number {
  return Math.log(Math.max(average, fastest)) + now / memory
}

import type { Endpoint } from '../balancing/endpoint.ts'
import type { Clock } from '../clock.ts'
import { Limits } from './limits.ts'

/**
 * The load of attempts that are over before they count as over: errors that came sooner than a proper response would
 * have. Who answers nothing else would always be the least busy one otherwise, and get more calls than all others
 * together from callers that wait for each answer.
 */
export class LingeringLoad {
  readonly #clock: Clock
  /** Their own: so many different lengths would drive those out that are remembered. */
  readonly #limits: Limits
  /** How to end each. */
  readonly #ends = new Set<() => void>()
  #closed = false

  constructor (clock: Clock) {
    this.#clock = clock
    this.#limits = new Limits(clock)
  }

  /** The attempt counts until then. The clock's time; if that is past, it ends now. */
  end (endpoint: Endpoint, until: number): void {
    // Whole milliseconds, so that many share a timer.
    const ms = Math.round(until - this.#clock.now())
    if (this.#closed || ms <= 0) return endpoint.end()
    const end = (): void => {
      this.#ends.delete(end)
      endpoint.end()
    }
    this.#limits.start(ms, { expire: end })
    this.#ends.add(end)
  }

  /** All of it ends now, and what comes later at once. */
  close (): void {
    this.#closed = true
    this.#limits.close()
    for (const end of this.#ends) end()
  }
}

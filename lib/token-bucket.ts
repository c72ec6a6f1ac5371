import type { Clock } from './clock.ts'

/** At most `burst` at once and one more every `interval` milliseconds. */
export class TokenBucket {
  readonly #burst: number
  readonly #interval: number
  readonly #clock: Clock
  #tokens: number
  #at: number

  constructor ({ burst, interval }: { burst: number, interval: number }, clock: Clock) {
    this.#burst = burst
    this.#interval = interval
    this.#clock = clock
    this.#tokens = burst
    this.#at = clock.now()
  }

  /** Waits until there is a token and takes it. Rejects with the signal's reason once that aborts. */
  async take (signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#refill()
    this.#tokens--
    if (this.#tokens < 0) await this.#clock.sleep(-this.#tokens * this.#interval, signal)
  }

  #refill (): void {
    const now = this.#clock.now()
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) / this.#interval)
    this.#at = now
  }
}

import type { Clock } from '../clock.ts'

export interface RetryBudgetOptions {
  /** Repeated requests for each request. From 0. */
  readonly ratio: number
  /** Repeated requests a second beside those, so that what is seldom called is repeated too. From 0. */
  readonly perSecond: number
}

/**
 * Length of the window, in slots of a second. Source: the retry budgets of Finagle (`RetryBudget.DefaultTtl`), Tower
 * and Linkerd, 10 s each.
 */
const slots = 10
const slotLength = 1000

/**
 * How many requests may be sent once more, over all calls together: a share of the requests of the last 10 s. Without
 * it everyone repeats everything just when nobody can be reached, and keeps an outage going that was over.
 */
export class RetryBudget {
  readonly #options: RetryBudgetOptions
  readonly #clock: Clock
  readonly #requests = new Float64Array(slots)
  readonly #repeats = new Float64Array(slots)
  /** Of the whole window. */
  #allRequests = 0
  #allRepeats = 0
  /** The slot that is being filled, counted from the clock's start. */
  #slot: number

  constructor (options: RetryBudgetOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
    this.#slot = slotOf(clock.now())
  }

  /** A request is sent for the first time. */
  deposit (now = this.#clock.now()): void {
    const index = this.#moveOn(now)
    this.#requests[index]!++
    this.#allRequests++
  }

  /** Whether a request may be sent once more; it counts as sent then. */
  withdraw (): boolean {
    const index = this.#moveOn(this.#clock.now())
    const { ratio, perSecond } = this.#options
    if (this.#allRepeats + 1 > ratio * this.#allRequests + perSecond * slots) return false
    this.#repeats[index]!++
    this.#allRepeats++
    return true
  }

  /** How many requests may be sent once more now. */
  get left (): number {
    this.#moveOn(this.#clock.now())
    const { ratio, perSecond } = this.#options
    return Math.max(ratio * this.#allRequests + perSecond * slots - this.#allRepeats, 0)
  }

  /** Empties what has left the window. Returns where the present slot is kept. */
  #moveOn (now: number): number {
    const slot = slotOf(now)
    for (this.#slot = Math.max(this.#slot, slot - slots); this.#slot < slot;) {
      const index = ++this.#slot % slots
      this.#allRequests -= this.#requests[index]!
      this.#allRepeats -= this.#repeats[index]!
      this.#requests[index] = this.#repeats[index] = 0
    }
    return slot % slots
  }
}

function slotOf (now: number): number {
  return Math.floor(now / slotLength)
}

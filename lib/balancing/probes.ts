import type { Endpoint } from './endpoint.ts'
import type { Ejection } from './outlier.ts'
import type { PickContext } from './strategy.ts'

/** For how long a call is waited for that goes on elsewhere if the attempt fails. Milliseconds. */
const patience = 5000
/**
 * From one probe to the next: many endpoints whose time is over must not get the calls in a row. Each one that is back
 * halves it, so that many that are well again are back soon. Milliseconds.
 */
const longestPause = 100
const shortestPause = 1
/** How soon after no ejected endpoint could be tried it is looked again. Milliseconds. */
const lookAgain = 10

/** Which calls find out whether ejected endpoints are back: one at a time for each, and few in all. */
export class Probes {
  #ejected: readonly Endpoint[] = []
  /** When the first ejection ends. */
  #firstEnd = Infinity
  /** The last one that was tried, and the ejection that it had then. */
  #probed: Endpoint | undefined
  #ejection: Ejection | undefined
  #pause = longestPause
  #pausedUntil = -Infinity
  #dueAt = Infinity
  /** The same for calls that may not be repeated. */
  #dueForAllAt = Infinity

  /** Before that there is nothing to `take()`. */
  get dueAt (): number { return this.#dueAt }

  /** The ejected endpoints are these. */
  watch (ejected: readonly Endpoint[]): void {
    this.#ejected = ejected
    this.#firstEnd = ejected.reduce((first, { ejection }) => Math.min(first, ejection?.until ?? 0), Infinity)
    this.#dueAt = Math.max(this.#firstEnd, this.#pausedUntil)
    this.#dueForAllAt = Math.max(this.#firstEnd + patience, this.#pausedUntil)
  }

  /** An ejected endpoint whose time is over, if this call is to find out how it is. */
  take (context: PickContext): Endpoint | undefined {
    const { tried, repeatable, now } = context
    if (tried.length > 0 || now < (repeatable ? this.#dueAt : this.#dueForAllAt)) return undefined
    const due = this.#ejected.find(endpoint => mayTry(endpoint, context))
    if (due !== undefined) {
      due.claim(now)
      this.#pausedUntil = this.#dueAt = this.#dueForAllAt = now + this.#nextPause()
      this.#probed = due
      this.#ejection = due.ejection
    } else if (repeatable) {
      this.#dueAt = now + lookAgain
    } else {
      this.#dueForAllAt = now + lookAgain
    }
    return due
  }

  /** Ejected ones that a call which makes its own choice must leave out. The list itself, if it is all of them. */
  closedTo (context: PickContext): readonly Endpoint[] {
    if (context.now < this.#firstEnd) return this.#ejected
    return this.#ejected.filter(endpoint => !mayTry(endpoint, context))
  }

  /** Whether the choice of such a call may fall on an ejected one. */
  mayChoose (context: PickContext): boolean {
    if (context.now < this.#firstEnd) return false
    return this.#ejected.some(endpoint => mayTry(endpoint, context) && !context.tried.includes(endpoint))
  }

  /** Depends on what came of the probe before: one that is under way still says that this is too fast. */
  #nextPause (): number {
    if (this.#probed === undefined) return this.#pause
    const { ejection } = this.#probed
    if (ejection === undefined) this.#pause = Math.max(this.#pause / 2, shortestPause)
    else if (ejection === this.#ejection) this.#pause = Math.min(this.#pause * 2, longestPause)
    else this.#pause = longestPause
    return this.#pause
  }
}

function mayTry (endpoint: Endpoint, { repeatable, now }: PickContext): boolean {
  if (!endpoint.isDue(now)) return false
  return repeatable || now >= (endpoint.ejection?.until ?? 0) + patience
}

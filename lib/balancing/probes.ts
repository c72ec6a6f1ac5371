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
  #ejected: ReadonlySet<Endpoint> = new Set()
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
    this.#ejected = new Set(ejected)
    this.#firstEnd = ejected.reduce((first, { ejection }) => Math.min(first, ejection?.until ?? 0), Infinity)
    this.#dueAt = Math.max(this.#firstEnd, this.#pausedUntil)
    this.#dueForAllAt = Math.max(this.#firstEnd + patience, this.#pausedUntil)
  }

  /** An ejected endpoint whose time is over, if this call is to find out how it is. */
  take (context: PickContext): Endpoint | undefined {
    const { tried, sends, repeatable, now } = context
    if (!sends || tried.length > 0 || now < (repeatable ? this.#dueAt : this.#dueForAllAt)) return undefined
    const due = this.#firstToTry(context)
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

  /** Whether a call that makes its own choice must leave the endpoint out. */
  isClosed (endpoint: Endpoint, context: PickContext): boolean {
    return this.#ejected.has(endpoint) && (context.now < this.#firstEnd || !mayTry(endpoint, context))
  }

  /** Whether it must leave all ejected ones out. */
  areAllClosed ({ now }: PickContext): boolean {
    return now < this.#firstEnd
  }

  /** Whether its choice may fall on an ejected one. */
  mayChoose (context: PickContext): boolean {
    if (context.now < this.#firstEnd) return false
    for (const endpoint of this.#ejected) {
      if (mayTry(endpoint, context) && !context.tried.includes(endpoint)) return true
    }
    return false
  }

  /** One that has no room is no probe. */
  #firstToTry (context: PickContext): Endpoint | undefined {
    for (const endpoint of this.#ejected) {
      if (mayTry(endpoint, context) && !context.isFull(endpoint)) return endpoint
    }
    return undefined
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

function mayTry (endpoint: Endpoint, { sends, repeatable, now }: PickContext): boolean {
  if (!sends || !endpoint.isDue(now)) return false
  return repeatable || now >= (endpoint.ejection?.until ?? 0) + patience
}

import type { Endpoint } from './endpoint.ts'
import type { PickContext } from './strategy.ts'

/** For how long a call is waited for that goes on elsewhere if the attempt fails. Milliseconds. */
const patience = 5000
/** From one probe to the next: many endpoints whose time is over must not get the calls in a row. Milliseconds. */
const pause = 100
/** How soon after no ejected endpoint could be tried it is looked again. Milliseconds. */
const lookAgain = 10

/** Which calls find out whether ejected endpoints are back: one at a time for each, and few in all. */
export class Probes {
  #ejected: readonly Endpoint[] = []
  /** When the first ejection ends. */
  #firstEnd = Infinity
  #pausedUntil = -Infinity
  #dueAt = Infinity
  /** The same for calls that may not be repeated. */
  #lateAt = Infinity

  /** Before that there is nothing to `take()`. */
  get dueAt (): number { return this.#dueAt }

  /** The ejected endpoints are these. */
  watch (ejected: readonly Endpoint[]): void {
    this.#ejected = ejected
    this.#firstEnd = ejected.reduce((first, { ejection }) => Math.min(first, ejection?.until ?? 0), Infinity)
    this.#dueAt = Math.max(this.#firstEnd, this.#pausedUntil)
    this.#lateAt = Math.max(this.#firstEnd + patience, this.#pausedUntil)
  }

  /** An ejected endpoint whose time is over, if this call is to find out how it is. */
  take (context: PickContext): Endpoint | undefined {
    const { tried, repeatable, now } = context
    if (tried.length > 0 || now < (repeatable ? this.#dueAt : this.#lateAt)) return undefined
    const due = this.#ejected.find(endpoint => mayTry(endpoint, context))
    if (due !== undefined) {
      due.claim(now)
      this.#pausedUntil = this.#dueAt = this.#lateAt = now + pause
    } else if (repeatable) {
      this.#dueAt = now + lookAgain
    } else {
      this.#lateAt = now + lookAgain
    }
    return due
  }

  /** What a call that makes its own choice must leave out. The ejected ones themselves, if it is all of them. */
  closedTo (context: PickContext): readonly Endpoint[] {
    if (context.now < this.#firstEnd) return this.#ejected
    return this.#ejected.filter(endpoint => !mayTry(endpoint, context))
  }

  /** Whether the choice of such a call may fall on an ejected one. */
  areOpenTo (context: PickContext): boolean {
    if (context.now < this.#firstEnd) return false
    return this.#ejected.some(endpoint => mayTry(endpoint, context) && !context.tried.includes(endpoint))
  }
}

function mayTry (endpoint: Endpoint, { repeatable, now }: PickContext): boolean {
  if (!endpoint.isDue(now)) return false
  return repeatable || now >= (endpoint.ejection?.until ?? 0) + patience
}

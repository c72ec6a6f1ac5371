import type { Clock } from '../clock.ts'

/** How late a timer may fire before it says more of this process than of whom it waits for. Milliseconds. */
const lateAfter = 50
/** Time to read what has arrived while this process stood still. Milliseconds. */
const grace = 20
/**
 * Lengths that are remembered although nothing waits for them now: those of the options, and some of single calls.
 * Only whole milliseconds: others are what was left of something, and do not come again.
 */
const remembered = 16

export interface Expiring {
  /** The limit was reached. `isLate`: the event loop had stood still meanwhile. */
  expire (isLate: boolean): void
}

/**
 * Limits in time of what is under way. Nearly all of them are never reached, and nearly all are equally long: one
 * timer waits for the oldest of each length, and whatever ends in time costs none.
 */
export class Limits {
  readonly #clock: Clock
  readonly #rows = new Map<number, Row>()

  constructor (clock: Clock) {
    this.#clock = clock
  }

  /**
   * Tells `target` after `ms` milliseconds, never if that is 0, or if the limit that is returned was stopped. Timers
   * fire before the answers are read that came in time while the event loop stood still: these get their turn first.
   *
   * @param now the clock's time
   */
  start (ms: number, target: Expiring, now = this.#clock.now()): Limit | undefined {
    if (ms === 0) return undefined
    let row = this.#rows.get(ms)
    if (row === undefined) {
      row = new Row(ms, this.#clock, () => this.#forget(ms))
      this.#rows.set(ms, row)
    }
    return row.add(target, now)
  }

  /** Those that run are never reached. */
  close (): void {
    for (const row of this.#rows.values()) row.close()
    this.#rows.clear()
  }

  #forget (ms: number): void {
    if (Number.isInteger(ms) && this.#rows.size <= remembered) return
    this.#rows.get(ms)?.close()
    this.#rows.delete(ms)
  }
}

/** One limit that runs, and its neighbours in the row. */
export class Limit {
  readonly due: number
  readonly target: Expiring
  previous: Limit | undefined
  next: Limit | undefined
  #row: Row | undefined

  constructor (due: number, target: Expiring, row: Row) {
    this.due = due
    this.target = target
    this.#row = row
  }

  /** It is not reached any more. */
  stop (): void {
    this.#row?.remove(this)
    this.#row = undefined
  }
}

/** The limits of one length, the oldest first, and the timer of that one. */
class Row {
  readonly #ms: number
  readonly #clock: Clock
  readonly #onEmpty: () => void
  #first: Limit | undefined
  #last: Limit | undefined
  #stopTimer: (() => void) | undefined

  constructor (ms: number, clock: Clock, onEmpty: () => void) {
    this.#ms = ms
    this.#clock = clock
    this.#onEmpty = onEmpty
  }

  add (target: Expiring, now: number): Limit {
    const limit = new Limit(now + this.#ms, target, this)
    limit.previous = this.#last
    if (this.#last === undefined) this.#first = limit
    else this.#last.next = limit
    this.#last = limit
    this.#stopTimer ??= this.#clock.after(this.#ms, () => this.#look())
    return limit
  }

  remove (limit: Limit): void {
    const { previous, next } = limit
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    // What is over must not keep alive what came after it.
    limit.previous = limit.next = undefined
    if (this.#first === undefined) this.#onEmpty()
  }

  close (): void {
    this.#stopTimer?.()
    this.#first = this.#last = undefined
  }

  /** The timer may have been the one of a limit that was stopped. */
  #look (): void {
    const now = this.#clock.now()
    const { due } = this.#first ?? { due: Infinity }
    if (now < due) return this.#wait(now)
    const isLate = now - due >= lateAfter
    const pause = isLate ? grace : 0
    this.#stopTimer = this.#clock.after(pause, () => this.#reach(now + pause, isLate))
  }

  #reach (now: number, isLate: boolean): void {
    this.#stopTimer = undefined
    try {
      for (let limit = this.#first; limit !== undefined && limit.due <= now; limit = this.#first) {
        limit.stop()
        limit.target.expire(isLate)
      }
    } finally {
      if (this.#stopTimer === undefined) this.#wait(this.#clock.now())
    }
  }

  #wait (now: number): void {
    const first = this.#first
    this.#stopTimer = first && this.#clock.after(first.due - now, () => this.#look())
  }
}

/** Length of the window, in slots of a second. Source: Linkerd's circuit breaker, 10 s in 10 buckets. */
const slots = 10
const slotLength = 1000

/** How the attempts of the last 10 seconds went. Every one counts the same: a burst is not one sample. */
export class Recent {
  readonly #successes = new Uint32Array(slots)
  readonly #failures = new Uint32Array(slots)
  #allSuccesses = 0
  #allFailures = 0
  /** The slot that is being filled, counted from the clock's start. */
  #slot = 0

  add (succeeded: boolean, now: number): void {
    const index = this.#moveTo(now)
    if (succeeded) {
      this.#successes[index]!++
      this.#allSuccesses++
    } else {
      this.#failures[index]!++
      this.#allFailures++
    }
  }

  /** What was a success at that time was none. */
  takeBack (at: number, now: number): void {
    this.#moveTo(now)
    const slot = Math.floor(at / slotLength)
    if (slot <= this.#slot - slots || this.#successes[slot % slots] === 0) return
    this.#successes[slot % slots]!--
    this.#allSuccesses--
  }

  successes (now: number): number {
    this.#moveTo(now)
    return this.#allSuccesses
  }

  failures (now: number): number {
    this.#moveTo(now)
    return this.#allFailures
  }

  /** Whether more than this share failed in this second and the one before: what begins is seen soon. */
  failsLately (tolerance: number, now: number): boolean {
    const index = this.#moveTo(now)
    const before = (index + slots - 1) % slots
    const failures = this.#failures[index]! + this.#failures[before]!
    const successes = this.#successes[index]! + this.#successes[before]!
    return failures > tolerance * (failures + successes)
  }

  isEmpty (now: number): boolean {
    return this.successes(now) + this.failures(now) === 0
  }

  clear (): void {
    this.#successes.fill(0)
    this.#failures.fill(0)
    this.#allSuccesses = this.#allFailures = 0
  }

  /** Empties what has left the window. Returns where the present slot is kept. */
  #moveTo (now: number): number {
    const slot = Math.floor(now / slotLength)
    for (this.#slot = Math.max(this.#slot, slot - slots); this.#slot < slot;) {
      const index = ++this.#slot % slots
      this.#allSuccesses -= this.#successes[index]!
      this.#allFailures -= this.#failures[index]!
      this.#successes[index] = this.#failures[index] = 0
    }
    return slot % slots
  }
}

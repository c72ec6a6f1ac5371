/**
 * How it goes with connections to one instance that are used again. One of them may have been closed meanwhile; an
 * instance of which the next one breaks too, and none has answered, breaks them itself.
 */
export class Reuse {
  /** When one broke, with no answer on another one since. The clock's time; Infinity: none has. */
  #brokeAt = Infinity

  /** One has answered. */
  works (): void {
    this.#brokeAt = Infinity
  }

  /** One broke soon after it was written to. Returns whether it was to be trusted less, for one that broke before. */
  breaks (writtenAt: number, now: number): boolean {
    const isNext = writtenAt > this.#brokeAt
    this.#brokeAt = now
    return isNext
  }
}

/** A response that costs more than so many times what is usual comes of a bad moment, and is no measure for others. */
const most = 8
/** Of this many responses what is usual is worked out: more than one standstill holds up. */
const remembered = 512

/** What a proper response of a service costs now, whichever of its instances gives it. */
export class Pace {
  #cost = 0
  #usual = 0

  /**
   * Of the last response: its latency in milliseconds, times the attempts under way there for the instance's weight.
   * Not an average: who is given these has highs and lows like the others. 0: there was none.
   */
  get cost (): number { return this.#cost }

  /** A proper response has come. */
  learn (cost: number): void {
    if (this.#usual === 0) this.#usual = cost
    this.#cost = Math.min(cost, most * this.#usual)
    this.#usual += (this.#cost - this.#usual) / remembered
  }
}

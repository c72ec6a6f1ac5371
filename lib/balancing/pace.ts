/** A response that takes more than so many times what is usual comes of a bad moment, and is no measure for others. */
const most = 8
/** Of this many responses what is usual is worked out: more than one standstill holds up. */
const remembered = 512
/** The first ones count alike: none of them, on a new connection or in a cold process, is usual by itself. */
const first = 32

/** How long a proper response of a service takes now, whichever of its instances gives it. */
export class Pace {
  #last = 0
  #mean = 0
  #responses = 0

  /**
   * The last one, in milliseconds, or what is usual if that is more. Not an average: who is given these has highs like
   * the others. But no lows: if one of them drew all calls to errors, no other response would come to end it. 0: there
   * was none.
   */
  get latency (): number { return Math.max(this.#last, this.#mean) }

  /** A proper response has come. */
  learn (latency: number): void {
    this.#responses++
    this.#last = this.#responses === 1 ? latency : Math.min(latency, most * this.#mean)
    this.#mean += (this.#last - this.#mean) / (this.#responses <= first ? this.#responses : remembered)
  }
}

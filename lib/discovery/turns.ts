interface Waiting {
  readonly enter: () => void
  readonly leave: (reason: unknown) => void
  next: Waiting | undefined
}

/** Lets a few in at a time; the others wait for their turn, first come, first served. */
export class Turns {
  readonly #limit: number
  #inside = 0
  /** A chain, as there may be many thousands. */
  #first: Waiting | undefined
  #last: Waiting | undefined

  constructor (limit: number) {
    this.#limit = limit
  }

  /** Rejects if it is turned away while it waits. */
  async take (work: () => Promise<void>): Promise<void> {
    if (this.#inside >= this.#limit) await this.#line()
    else this.#inside++
    try {
      await work()
    } finally {
      this.#pass()
    }
  }

  /** All that wait are rejected with this reason. */
  turnAway (reason: unknown): void {
    let waiting = this.#first
    this.#first = this.#last = undefined
    for (; waiting !== undefined; waiting = waiting.next) waiting.leave(reason)
  }

  #line (): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { enter: resolve, leave: reject, next: undefined }
      if (this.#last === undefined) this.#first = waiting
      else this.#last.next = waiting
      this.#last = waiting
    })
  }

  /** Whoever waits longest takes the place. */
  #pass (): void {
    const waiting = this.#first
    if (waiting === undefined) {
      this.#inside--
      return
    }
    this.#first = waiting.next
    if (this.#first === undefined) this.#last = undefined
    waiting.enter()
  }
}

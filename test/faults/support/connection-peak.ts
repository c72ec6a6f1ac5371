import type { Proxy } from '../../support/proxy.ts'
import type { Teardown } from '../../support/teardown.ts'

/** Milliseconds. */
const every = 5
/** A connection that is being closed while the next one opens is there for a moment: so many looks have to find it. */
const looks = 10

/** How many connections a proxy has had open at a time. */
export class ConnectionPeak {
  #recent: number[] = []
  #most = 0

  constructor (t: Teardown, proxy: Proxy) {
    const timer = setInterval(() => {
      this.#recent = [...this.#recent.slice(1 - looks), proxy.connections]
      if (this.#recent.length === looks) this.#most = Math.max(this.#most, Math.min(...this.#recent))
    }, every)
    t.teardown(() => clearInterval(timer))
  }

  /** The most, for 50 ms or longer. */
  get most (): number { return this.#most }
}

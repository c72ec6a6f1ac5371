import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How often it is looked whether the event loop still turns. Milliseconds. */
const every = 2

/** For how long the event loop stands still. */
export class Standstill {
  readonly #delay = monitorEventLoopDelay({ resolution: 1 })
  #longest = 0
  #looked = ownTime()

  constructor () {
    this.#delay.enable()
    setInterval(() => this.#look(), every)
  }

  /** The longest standstill since this was asked before, and how much of it was our own doing. Milliseconds. */
  take (): { stall: number, own: number } {
    this.#look()
    const taken = { stall: this.#delay.max / 1e6, own: this.#longest }
    this.#delay.reset()
    this.#longest = 0
    return taken
  }

  #look (): void {
    const now = ownTime()
    this.#longest = Math.max(this.#longest, now - this.#looked - every)
    this.#looked = now
  }
}

/**
 * A clock that stands still while this thread is ready to run and other processes have the processor: on a busy machine
 * that is most of the time, and nobody's fault here. Milliseconds. An ordinary clock where the system does not say.
 */
export function ownTime (): number {
  try {
    const [, waited] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')
    return performance.now() - Number(waited) / 1e6
  } catch {
    return performance.now()
  }
}

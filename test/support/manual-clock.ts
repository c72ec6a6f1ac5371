import { setMaxListeners } from 'node:events'
import type { Clock } from '../../lib/clock.ts'

interface Timer {
  at: number
  callback: () => void
}

/** Time that passes only when the test says so. */
export class ManualClock implements Clock {
  #now = 0
  readonly #timers = new Set<Timer>()

  /** In how many milliseconds each timer that waits is due, the next one first. */
  get pending (): number[] {
    return [...this.#timers].map(({ at }) => at - this.#now).sort((a, b) => a - b)
  }

  now (): number {
    return this.#now
  }

  after (ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  async sleep (ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (signal !== undefined) setMaxListeners(0, signal)
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        cancel()
        reject(signal?.reason)
      }
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      })
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** Timers fire in their order, each at its own time. */
  advance (ms: number): void {
    const end = this.#now + ms
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next)
      this.#now = next.at
      next.callback()
    }
    this.#now = end
  }

  #next (end: number): Timer | undefined {
    return [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
  }
}

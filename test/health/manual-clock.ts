import type { Clock } from '../../lib/clock.ts'

/** Time that passes only when the test says so. */
export class ManualClock implements Clock {
  #now = 0
  readonly #timers = new Set<{ at: number, callback: () => void }>()

  /** How many timers wait. */
  get pending (): number {
    return this.#timers.size
  }

  now (): number {
    return this.#now
  }

  after (ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  sleep (ms: number): Promise<void> {
    return new Promise(resolve => { this.after(ms, resolve) })
  }

  advance (ms: number): void {
    this.#now += ms
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.at > this.#now) continue
      this.#timers.delete(timer)
      timer.callback()
    }
  }
}

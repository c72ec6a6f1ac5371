import type { Clock } from '../clock.ts'
import type { Connectivity } from '../consul/connectivity.ts'
import type { Answer, WireHealthEntry } from '../consul/wire.ts'
import type { ServiceView } from './view.ts'

interface Parts {
  /** Asks once, without blocking, in `default` consistency or better. */
  readonly ask: (view: ServiceView, signal: AbortSignal) => Promise<Answer<WireHealthEntry[]>>
  readonly onAnswer: (view: ServiceView, answer: Answer<WireHealthEntry[]>) => void
  readonly connectivity: Connectivity
  readonly clock: Clock
}

/** After an answer that says nothing. Milliseconds. */
const againAfter = 5000

/** Asks whether instances that are kept are gone indeed, when their time has come. Unanswered they are kept on. */
export class Confirmations {
  readonly #parts: Parts
  readonly #running = new Map<ServiceView, AbortController>()
  #closed = false

  constructor (parts: Parts) {
    this.#parts = parts
  }

  /** To be called after each answer: does nothing if nothing is kept. */
  expect (view: ServiceView): void {
    if (view.confirmAt === undefined || this.#running.has(view) || this.#closed) return
    const ended = new AbortController()
    this.#running.set(view, ended)
    this.#confirm(view, ended.signal).catch(() => {}).finally(() => {
      if (this.#running.get(view) !== ended) return
      this.#running.delete(view)
      this.expect(view) // Something may have become doubtful since it was looked at last.
    })
  }

  /** The view is forgotten. */
  drop (view: ServiceView): void {
    this.#running.get(view)?.abort()
    this.#running.delete(view)
  }

  close (): void {
    this.#closed = true
    for (const view of this.#running.keys()) this.drop(view)
  }

  async #confirm (view: ServiceView, signal: AbortSignal): Promise<void> {
    const { ask, onAnswer, connectivity, clock } = this.#parts
    for (let at = view.confirmAt; at !== undefined; at = view.confirmAt) {
      const early = at - clock.now()
      if (early > 0) {
        await clock.sleep(early, signal)
        continue
      }
      await connectivity.restored(signal)
      try {
        onAnswer(view, await ask(view, signal))
      } catch (error) {
        await connectivity.recover(error, () => againAfter, signal)
      }
    }
  }
}

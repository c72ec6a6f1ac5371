import type { Clock } from '../clock.ts'
import type { ServiceView } from './view.ts'

interface Parts {
  /** After how many milliseconds a watch ends whose view nobody wants. */
  readonly idleAfter: number
  readonly isWanted: (view: ServiceView) => boolean
  readonly onIdle: (view: ServiceView) => void
  readonly clock: Clock
}

interface Running {
  readonly controller: AbortController
  /** When it was last seen that someone wants it. */
  wantedAt: number
}

/** Which views are watched, each until nobody wants it any longer. */
export class Watches {
  readonly #parts: Parts
  readonly #running = new Map<ServiceView, Running>()
  #stopSweeping: (() => void) | undefined

  constructor (parts: Parts) {
    this.#parts = parts
  }

  get size (): number {
    return this.#running.size
  }

  /** From now on it counts as watched; the signal says when that has to end. */
  begin (view: ServiceView): AbortSignal {
    const controller = new AbortController()
    this.#running.set(view, { controller, wantedAt: this.#parts.clock.now() })
    this.#sweepLater()
    return controller.signal
  }

  close (): void {
    this.#stopSweeping?.()
    for (const { controller } of this.#running.values()) controller.abort()
    this.#running.clear()
  }

  #sweepLater (): void {
    this.#stopSweeping ??= this.#parts.clock.after(this.#parts.idleAfter / 4, () => {
      this.#stopSweeping = undefined
      this.#endIdle()
      if (this.size > 0) this.#sweepLater()
    })
  }

  #endIdle (): void {
    const { clock, idleAfter, isWanted, onIdle } = this.#parts
    const now = clock.now()
    for (const [view, running] of this.#running) {
      if (isWanted(view)) running.wantedAt = now
      if (now - running.wantedAt < idleAfter) continue
      running.controller.abort()
      this.#running.delete(view)
      onIdle(view)
    }
  }
}

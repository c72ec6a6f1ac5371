import type { Clock } from '../clock.ts'

interface ListingParts {
  readonly clock: Clock
  /** The catalog shows the service, and the agent has taken the last write. */
  readonly onShown: () => void
  /** The catalog has shown the service since the last write, and does no longer. */
  readonly onLost: () => void
  /** The catalog has not shown the service within 3 s of the agent's answer. */
  readonly onMissing: () => void
}

/** How long the catalog may take to show what the agent took. Milliseconds. */
const showWithin = 3000

/** Whether the catalog shows the service: the agent's 200 does not say so yet. */
export class Listing {
  readonly #parts: ListingParts
  #shown = false
  #taken = false
  #onGone = () => {}
  #cancel = () => {}

  constructor (parts: ListingParts) {
    this.#parts = parts
  }

  /** A write begins: what was shown before says nothing of it. */
  begin (): void {
    this.#shown = false
    this.#taken = false
  }

  /** The agent has taken the write. */
  expect (): void {
    this.#taken = true
    if (this.#shown) return this.#parts.onShown()
    this.stop()
    this.#cancel = this.#parts.clock.after(showWithin, this.#parts.onMissing)
  }

  /** What the catalog answered. */
  update (isShown: boolean): void {
    const wasShown = this.#shown
    this.#shown = isShown
    if (isShown) {
      this.stop()
      if (this.#taken) this.#parts.onShown()
    } else {
      this.#onGone()
      if (wasShown) this.#parts.onLost()
    }
  }

  /** Resolves when the catalog does not show the service; at once if it never did. */
  async gone (): Promise<void> {
    if (this.#shown) await new Promise<void>(resolve => { this.#onGone = resolve })
  }

  /** Waits for nothing any more. */
  stop (): void {
    this.#cancel()
  }
}

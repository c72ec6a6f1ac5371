import { Backoff } from '../backoff.ts'
import type { Clock, Random } from '../clock.ts'
import { isRefusal, type Connectivity } from '../consul/connectivity.ts'
import { TokenBucket } from '../token-bucket.ts'
import type { ServiceView } from './view.ts'

interface Parts {
  /** Asks Consul once; what failed then stands in the view. */
  readonly ask: (view: ServiceView) => Promise<void>
  readonly connectivity: Connectivity
  readonly clock: Clock
  readonly random: Random
}

/** How long a list counts as fresh. Milliseconds. */
const pollEvery = 3000
/** However many services there are, no more queries a second: a thousand then have their turn every 5 s. */
const queriesPerSecond = 200
const burst = 10
/** Queries at a time: they share their few connections with first calls and with watches that begin. */
const concurrency = 2

/** Asks for the services without a watch in turn: always the one that was asked for longest ago. */
export class Poller {
  readonly #parts: Parts
  readonly #rate: TokenBucket
  readonly #refused: Backoff
  /** When each was asked for, the longest ago first. */
  readonly #askedAt = new Map<ServiceView, number>()
  readonly #underWay = new Set<ServiceView>()
  readonly #closed = new AbortController()
  #workers = 0

  constructor (parts: Parts) {
    const { clock, random } = parts
    this.#parts = parts
    this.#rate = new TokenBucket({ burst, interval: 1000 / queriesPerSecond }, clock)
    this.#refused = new Backoff({ initial: 1000, max: 10_000, random })
  }

  get size (): number {
    return this.#askedAt.size
  }

  /** It was asked for just now; from here on its turn comes. */
  add (view: ServiceView): void {
    this.#askedAt.set(view, this.#parts.clock.now())
    if (this.#workers >= Math.min(concurrency, this.size) || this.#closed.signal.aborted) return
    this.#takeTurns(this.#closed.signal).catch(() => {})
  }

  remove (view: ServiceView): void {
    this.#askedAt.delete(view)
  }

  close (): void {
    this.#closed.abort()
    this.#askedAt.clear()
  }

  /** It counts as a worker until it finds nothing to do, and not a moment longer: what is added then needs another. */
  async #takeTurns (signal: AbortSignal): Promise<void> {
    this.#workers++
    try {
      for (let view = this.#next(); view !== undefined; view = this.#next()) {
        const early = (this.#askedAt.get(view) ?? 0) + pollEvery - this.#parts.clock.now()
        if (early > 0) await this.#parts.clock.sleep(early, signal)
        else await this.#poll(view, signal)
      }
    } finally {
      this.#workers--
    }
  }

  /** The one whose turn it is; without any, a worker has nothing left to do. */
  #next (): ServiceView | undefined {
    for (const view of this.#askedAt.keys()) if (!this.#underWay.has(view)) return view
    return undefined
  }

  async #poll (view: ServiceView, signal: AbortSignal): Promise<void> {
    const { ask, connectivity, clock } = this.#parts
    this.#askedAt.delete(view)
    this.#askedAt.set(view, clock.now())
    this.#underWay.add(view)
    try {
      await this.#rate.take(signal)
      await connectivity.restored(signal)
      if (!this.#askedAt.has(view)) return
      await ask(view)
    } finally {
      this.#underWay.delete(view)
    }
    if (isRefusal(view.error)) await clock.sleep(this.#refused.next(), signal)
    else this.#refused.reset()
  }
}

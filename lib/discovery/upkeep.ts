import type { Clock } from '../clock.ts'
import type { Poller } from './poller.ts'
import { heatAfter, hottestFirst, takeovers } from './rank.ts'
import type { ServiceView } from './view.ts'

export interface UpkeepOptions {
  /** How many views are watched at most, those that are followed aside. */
  readonly maxWatches: number
  /** After how many milliseconds nothing is done any longer for a view that nobody asks for. */
  readonly idleAfter: number
}

interface Parts {
  /** Whether it is watched in any case. */
  readonly isFollowed: (view: ServiceView) => boolean
  /** Whether it keeps its watch, and is kept though nobody asks. */
  readonly isPreloaded: (view: ServiceView) => boolean
  /** Begins a watch, which goes on from an index if there is one. */
  readonly watch: (view: ServiceView, signal: AbortSignal, from: string | undefined) => void
  readonly poller: Pick<Poller, 'add' | 'remove' | 'size' | 'close'>
  /** A view is polled because there is no watch left. */
  readonly onLimit: () => void
  readonly onIdle: (view: ServiceView) => void
  readonly clock: Clock
}

interface Kept {
  readonly view: ServiceView
  /** Set while it is watched. */
  watch: AbortController | undefined
  heat: number
  /** When it was last seen that someone wants it. */
  wantedAt: number
}

/** How often the watches are shared out anew while there are too few of them. Milliseconds. */
const shareEvery = 5000

/**
 * Which views are kept up to date, and how: those that are called most have a watch, as many as there may be; the
 * others are polled. What nobody asks for any longer is left alone.
 */
export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #parts: Parts
  readonly #kept = new Map<ServiceView, Kept>()
  #lookedAt: number
  #nextLook: { readonly at: number, readonly cancel: () => void } | undefined

  constructor (options: UpkeepOptions, parts: Parts) {
    this.#options = options
    this.#parts = parts
    this.#lookedAt = parts.clock.now()
  }

  get size (): number {
    return this.#kept.size
  }

  /** From now on it is kept up to date: by a watch if there is one left. */
  keep (view: ServiceView, from?: string): void {
    if (this.#free() > 0) this.#watch(this.#obtain(view), from)
    else this.#poll(this.#obtain(view))
  }

  /** The same by a watch in any case: for one that is followed. */
  watch (view: ServiceView): void {
    const kept = this.#obtain(view)
    if (kept.watch === undefined) this.#watch(kept)
  }

  /** Nothing is done for it any longer. */
  drop (view: ServiceView): void {
    this.#kept.get(view)?.watch?.abort()
    this.#parts.poller.remove(view)
    this.#kept.delete(view)
  }

  /** The one that is called least of those that are polled. */
  coldest (): ServiceView | undefined {
    const polled = [...this.#kept.values()].filter(({ view, watch }) =>
      watch === undefined && !this.#parts.isPreloaded(view))
    return hottestFirst(polled.map(({ view, heat }) => ({ view, heat: heat + view.calls }))).at(-1)?.view
  }

  close (): void {
    this.#nextLook?.cancel()
    for (const { watch } of this.#kept.values()) watch?.abort()
    this.#kept.clear()
    this.#parts.poller.close()
  }

  #obtain (view: ServiceView): Kept {
    const kept = this.#kept.get(view) ?? { view, watch: undefined, heat: 0, wantedAt: this.#parts.clock.now() }
    this.#kept.set(view, kept)
    return kept
  }

  #watch (kept: Kept, from?: string): void {
    const { poller, watch } = this.#parts
    poller.remove(kept.view)
    kept.watch = new AbortController()
    watch(kept.view, kept.watch.signal, from)
    this.#lookLater()
  }

  #poll (kept: Kept): void {
    const { poller, onLimit } = this.#parts
    kept.watch?.abort()
    kept.watch = undefined
    kept.view.upkeep = 'polled'
    poller.add(kept.view)
    onLimit()
    this.#lookLater()
  }

  /** How many watches there still may be. */
  #free (): number {
    let free = this.#options.maxWatches
    for (const { view, watch } of this.#kept.values()) if (watch !== undefined && !this.#parts.isFollowed(view)) free--
    return free
  }

  #lookLater (): void {
    const { clock, poller } = this.#parts
    const { idleAfter } = this.#options
    const after = Math.min(idleAfter / 4, poller.size > 0 ? shareEvery : Infinity)
    const at = clock.now() + after
    if (this.#nextLook !== undefined && this.#nextLook.at <= at) return
    this.#nextLook?.cancel()
    this.#nextLook = { at, cancel: clock.after(after, () => this.#look()) }
  }

  #look (): void {
    this.#nextLook = undefined
    this.#count()
    this.#endIdle()
    this.#share()
    if (this.size > 0) this.#lookLater()
  }

  #count (): void {
    const { clock, isFollowed, isPreloaded } = this.#parts
    const now = clock.now()
    for (const kept of this.#kept.values()) {
      const { view } = kept
      if (view.calls > 0 || isFollowed(view) || isPreloaded(view)) kept.wantedAt = now
      kept.heat = heatAfter(kept.heat, view.calls, now - this.#lookedAt)
      view.calls = 0
    }
    this.#lookedAt = now
  }

  #endIdle (): void {
    const { clock, onIdle } = this.#parts
    for (const { view, wantedAt } of this.#kept.values()) {
      if (clock.now() - wantedAt < this.#options.idleAfter) continue
      this.drop(view)
      onIdle(view)
    }
  }

  /** The watches that are left go to the hottest; then who is called much more takes over from who is called less. */
  #share (): void {
    if (this.#parts.poller.size === 0) return
    const { isFollowed, isPreloaded } = this.#parts
    const free = Math.max(this.#free(), 0)
    const all = [...this.#kept.values()]
    const polled = hottestFirst(all.filter(({ watch }) => watch === undefined))
    const movable = all.filter(({ view, watch }) => watch !== undefined && !isFollowed(view) && !isPreloaded(view))
    for (const kept of polled.slice(0, free)) this.#watch(kept)
    for (const [hot, cold] of takeovers(movable, polled.slice(free))) {
      this.#poll(cold)
      this.#watch(hot)
    }
  }
}

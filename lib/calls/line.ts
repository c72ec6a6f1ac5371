import type { Endpoint } from '../balancing/endpoint.ts'
import { guarded } from './guarded.ts'

/** What became of a call that looked for room: it took it, is over, or found none. */
export type Going = 'went' | 'ended' | 'waits'

/** A call that waits until an instance has room for it. */
export interface Waiting {
  /** The instances that it may go to. */
  readonly group: object
  /** Whether others of its group may find room where it finds none: it has been elsewhere, or chooses for itself. */
  readonly isParticular: boolean
  /** There may be room. */
  goOn (): Going
  /** No connection can be made to there under that origin: it need not wait for one. */
  passOver (endpoint: Endpoint, origin: string, error: Error): void
}

/** So many wait at the most: each of them holds memory. */
const longest = 10_000
/** So many particular ones look for the same room in vain. The next time it goes on with those after them. */
const mostInVain = 64

/**
 * The calls that wait for instances of one group, the longest waiting first: those that go wherever there is room, and
 * the particular ones, in turn.
 */
export class Line {
  readonly #general = new Set<Waiting>()
  readonly #particular = new Set<Waiting>()
  #isTurnOfGeneral = true
  /** Where the particular ones were left that found nothing. */
  #walk: Iterator<Waiting> | undefined

  get size (): number { return this.#general.size + this.#particular.size }

  /** Whether there was place at the end. */
  join (call: Waiting): boolean {
    if (this.size >= longest) return false
    const calls = call.isParticular ? this.#particular : this.#general
    calls.add(call)
    return true
  }

  leave (call: Waiting): void {
    if (!this.#general.delete(call)) this.#particular.delete(call)
  }

  /** There may be room for one more. Says whether somebody took it. */
  serve (): boolean {
    const isTurnOfGeneral = this.#isTurnOfGeneral
    this.#isTurnOfGeneral = !isTurnOfGeneral
    return isTurnOfGeneral
      ? this.#serveGeneral() || this.#serveParticular()
      : this.#serveParticular() || this.#serveGeneral()
  }

  passOver (endpoint: Endpoint, origin: string, error: Error): void {
    for (const call of [...this.#general, ...this.#particular]) {
      if (!this.#general.has(call) && !this.#particular.has(call)) continue
      guarded(() => call.passOver(endpoint, origin, error))
      if (call.isParticular && this.#general.delete(call)) this.#particular.add(call)
    }
  }

  /** Where the first one finds none the others do not either. */
  #serveGeneral (): boolean {
    for (const call of this.#general) {
      const outcome = outcomeOf(call)
      if (outcome !== 'ended') return outcome === 'went'
    }
    return false
  }

  #serveParticular (): boolean {
    const walk = this.#walk ?? this.#particular.values()
    this.#walk = undefined
    let inVain = 0
    for (let next = walk.next(); next.done !== true; next = walk.next()) {
      const outcome = outcomeOf(next.value)
      if (outcome === 'went') return true
      if (outcome === 'waits' && ++inVain === mostInVain) {
        this.#walk = walk
        return false
      }
    }
    return false
  }
}

function outcomeOf (call: Waiting): Going {
  return guarded(() => call.goOn()) ?? 'ended'
}

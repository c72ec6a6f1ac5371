import type { Endpoint } from '../balancing/endpoint.ts'
import { guarded } from './guarded.ts'

/** What became of a call that looked for room: it took it, is over, or found none. */
export type Outcome = 'went' | 'ended' | 'waits'

/** A call that waits until an instance has room for it. */
export interface Waiting {
  /** The instances that it may go to. */
  readonly group: object
  /** Whether others of its group may find room where it finds none: it has been elsewhere, or chooses for itself. */
  readonly isParticular: boolean
  /** There may be room. */
  goOn (): Outcome
  /** No connection can be made to there under that origin: it need not wait for one. */
  passOver (endpoint: Endpoint, origin: string, error: Error, now: number): void
}

/** So many wait at the most: each of them holds memory. */
const longest = 10_000
/** So many particular ones in a row may look for the same room in vain. Then they let the others go first. */
const mostInVain = 64

/** The calls that wait for instances of one group, the longest waiting first. */
export class Line {
  readonly #calls = new Set<Waiting>()

  get size (): number { return this.#calls.size }

  get calls (): Iterable<Waiting> { return this.#calls }

  has (call: Waiting): boolean { return this.#calls.has(call) }

  /** Whether there was place at the end. */
  join (call: Waiting): boolean {
    if (this.#calls.size >= longest) return false
    this.#calls.add(call)
    return true
  }

  leave (call: Waiting): void {
    this.#calls.delete(call)
  }

  /** There may be room for one more. Says whether somebody took it. */
  serve (): boolean {
    const inVain: Waiting[] = []
    for (const call of this.#calls) {
      const outcome = guarded(() => call.goOn()) ?? 'ended'
      if (outcome === 'went') return true
      if (outcome === 'ended') continue
      // Where this one finds none nobody does.
      if (!call.isParticular) return false
      if (inVain.push(call) === mostInVain) break
    }
    if (inVain.length === mostInVain) for (const call of inVain) if (this.#calls.delete(call)) this.#calls.add(call)
    return false
  }
}

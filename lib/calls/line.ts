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
  /** Whether it may be sent again: one that is ejected may have room for it before it has any for others. */
  readonly repeatable: boolean
  /** There may be room. */
  goOn (): Going
  /** No connection can be made to there under that origin: it need not wait for one. */
  passOver (endpoint: Endpoint, origin: string, error: Error): void
}

/** So many wait at the most: each of them holds memory. */
const longest = 10_000
/** So many look for the same room in vain at the most. */
const mostInVain = 64

/**
 * The calls that wait for instances of one group: those that go wherever there is room, and the particular ones, in
 * turn. The longest waiting goes first, but where many particular ones look in vain: they all get to look, round and
 * round.
 */
export class Line {
  readonly #general = new Set<Waiting>()
  readonly #particular = new Set<Waiting>()
  #isTurnOfGeneral = true
  /** Where the particular ones were left when too many of them had found nothing. */
  #walk: Walk | undefined

  /** Whether there are some that have not looked yet. */
  get isUnfinished (): boolean { return this.#walk !== undefined }

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

  /** Where one that may be repeated finds none the others do not either. */
  #serveGeneral (): boolean {
    let inVain = 0
    for (const call of this.#general) {
      const outcome = outcomeOf(call)
      if (outcome === 'went') return true
      if (outcome === 'waits' && (call.repeatable || ++inVain === mostInVain)) return false
    }
    return false
  }

  /** On from where they were left, and then from the start. */
  #serveParticular (): boolean {
    const left = this.#walk
    this.#walk = undefined
    let inVain = 0
    for (const walk of [...left === undefined ? [] : [left], new Walk(this.#particular)]) {
      for (let call = walk.next(); call !== undefined; call = walk.next()) {
        const outcome = outcomeOf(call)
        const isEnough = outcome === 'waits' && ++inVain === mostInVain
        if (isEnough || (outcome === 'went' && left !== undefined)) this.#walk = walk
        if (isEnough || outcome === 'went') return outcome === 'went'
      }
    }
    return false
  }
}

/** Goes by those who wait at its beginning, the longest waiting first. */
class Walk {
  readonly #calls: Iterator<Waiting, undefined>
  #left: number

  constructor (calls: ReadonlySet<Waiting>) {
    this.#calls = calls.values()
    this.#left = calls.size
  }

  next (): Waiting | undefined {
    return this.#left-- > 0 ? this.#calls.next().value : undefined
  }
}

function outcomeOf (call: Waiting): Going {
  return guarded(() => call.goOn()) ?? 'ended'
}

import { setTimeout as delay } from 'node:timers/promises'

/** Time as a parameter: monotonic, so that a changed wall clock or a suspended machine moves nothing. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes backwards. */
  now (): number
  /** Resolves after `ms`; rejects with the signal's reason once that aborts. Keeps the process alive only if asked. */
  sleep (ms: number, signal?: AbortSignal, keepAlive?: boolean): Promise<void>
  /** Calls `callback` once after `ms` unless the returned function is called first. Keeps no process alive. */
  after (ms: number, callback: () => void): () => void
}

/** Node's timers hold no more milliseconds than this; a longer one would fire at once. */
const longestTimer = 2 ** 31 - 1

/** A moment that is past is now: of negative times later versions of Node warn. */
const timerOf = (ms: number): number => Math.min(Math.max(ms, 0), longestTimer)

export const systemClock: Clock = {
  now: () => performance.now(),
  async sleep (ms, signal, keepAlive = false) {
    try {
      await delay(timerOf(ms), undefined, { ref: keepAlive, ...(signal && { signal }) })
    } catch (error) {
      throw signal?.reason ?? error
    }
  },
  after (ms, callback) {
    const timer = setTimeout(callback, timerOf(ms)).unref()
    return () => clearTimeout(timer)
  }
}

/** A source of randomness: `[0, 1)`, as `Math.random`. */
export type Random = () => number

/**
 * Calls back after `ms`, and after what had arrived by then was read: when this process has stood still, timers come
 * before that, and an answer that was in time would not count.
 *
 * @returns cancels it
 */
export function afterReading (clock: Clock, ms: number, callback: () => void): () => void {
  let cancel = clock.after(ms, () => { cancel = clock.after(0, callback) })
  return () => cancel()
}

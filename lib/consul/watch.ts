import { Backoff } from '../backoff.ts'
import type { Clock, Random } from '../clock.ts'
import { TokenBucket } from '../token-bucket.ts'
import { isConnectionError, isRefusal, type Connectivity } from './connectivity.ts'
import type { Answer } from './wire.ts'

export interface WatchParts<T> {
  /** One query: with a cursor a blocking one. */
  readonly query: (cursor: string | undefined, signal: AbortSignal) => Promise<Answer<T>>
  /** The cursor after an answer; without one the next query does not block. */
  readonly advance: (cursor: string | undefined, answer: Answer<T>) => CursorStep
  readonly onAnswer: (answer: Answer<T>) => void
  /** `failures`: how often in a row a query with a cursor, or the one after it, has failed by now. */
  readonly onError: (error: unknown, failures: number) => void | Promise<void>
  readonly connectivity: Connectivity
  readonly clock: Clock
  readonly random: Random
}

/** What to do after an answer of a blocking query. */
export interface CursorStep {
  readonly next: string | undefined
  /** Whether the answer counts. */
  readonly valid: boolean
}

/**
 * A single change is never held up, and a later one in a row no longer than the default `drain.delay`; what changes
 * without end costs this many queries a second.
 */
const queriesPerSecond = 5
const burst = 5

/** A query that was held for so long was not broken off for being one too many: what ended it is news. Milliseconds. */
const heldFor = 1000

/** Asks again and again until the signal aborts. There is no error after which it does not try once more. */
export async function watch<T> (parts: WatchParts<T>, signal: AbortSignal, from?: string): Promise<void> {
  const { query, advance, onAnswer, onError, connectivity, clock, random } = parts
  const bucket = new TokenBucket({ burst, interval: 1000 / queriesPerSecond }, clock)
  const refused = new Backoff({ initial: 1000, max: 10_000, random })
  const failed = new Backoff({ initial: 100, max: 1000, random })
  let failures = 0
  let cursor = from
  while (!signal.aborted) {
    let askedAt = clock.now()
    try {
      await bucket.take(signal)
      askedAt = clock.now()
      const answer = await connectivity.hold(held => query(cursor, held), signal)
      // An agent at its limit of connections may answer at once and yet break off every query that waits.
      const hasWaited = cursor !== undefined
      const { next, valid } = advance(cursor, answer)
      cursor = next
      if (valid && !signal.aborted) onAnswer(answer)
      if (hasWaited) forgetFailures()
    } catch (error) {
      const hasWaited = cursor !== undefined
      if (hasWaited && clock.now() - askedAt >= heldFor) forgetFailures()
      cursor = undefined
      failures++
      if (!signal.aborted) await recover(error, hasWaited).catch(() => {})
    }
  }

  function forgetFailures (): void {
    failures = 0
    refused.reset()
    failed.reset()
  }

  async function recover (error: unknown, hasWaited: boolean): Promise<void> {
    await onError(error, failures)
    await connectivity.recover(error, () => (isRefusal(error) ? refused : failed).next(), signal)
    // What is answered at once and broken off when it waits, again and again, is refused in fact.
    if (isConnectionError(error) && hasWaited && failures > 1) await clock.sleep(refused.next(), signal)
  }
}

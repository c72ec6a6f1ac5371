import { Backoff } from '../backoff.ts'
import type { Clock, Random } from '../clock.ts'
import { isConnectionError, type Connectivity } from '../consul/connectivity.ts'
import type { Answer } from '../consul/wire.ts'
import { ApiForbiddenError, ApiRateLimitedError } from '../errors.ts'
import { TokenBucket } from '../token-bucket.ts'
import { stepIndex } from './index-rule.ts'

export interface WatchParts<T> {
  /** One query: with an index a blocking one. */
  readonly query: (index: string | undefined, signal: AbortSignal) => Promise<Answer<T>>
  readonly onAnswer: (answer: Answer<T>) => void
  readonly onError: (error: unknown) => void
  readonly connectivity: Connectivity
  readonly clock: Clock
  readonly random: Random
}

/** A single change is never held up; what changes without end costs this many queries a second. */
const queriesPerSecond = 2
const burst = 5

/** Asks again and again, from an index if one is known, until the signal aborts. There is no error after which it does not try once more. */
export async function watch<T> (parts: WatchParts<T>, signal: AbortSignal, from?: string): Promise<void> {
  const { query, onAnswer, onError, connectivity, clock, random } = parts
  const bucket = new TokenBucket({ burst, interval: 1000 / queriesPerSecond }, clock)
  const backoffs = {
    refused: new Backoff({ initial: 1000, max: 10_000, random }),
    failed: new Backoff({ initial: 100, max: 1000, random })
  }
  let index = from
  while (!signal.aborted) {
    try {
      await bucket.take(signal)
      const answer = await query(index, signal)
      const step = stepIndex(index, answer.index)
      index = step.next
      if (step.valid) onAnswer(answer)
      backoffs.refused.reset()
      backoffs.failed.reset()
    } catch (error) {
      if (signal.aborted) return
      index = undefined
      onError(error)
      connectivity.report(error)
      const pause = isConnectionError(error) ? connectivity.restored(signal) : clock.sleep(backoffFor(error).next(), signal)
      await pause.catch(() => {})
    }
  }

  function backoffFor (error: unknown): Backoff {
    return error instanceof ApiForbiddenError || error instanceof ApiRateLimitedError
      ? backoffs.refused
      : backoffs.failed
  }
}

import { Backoff } from '../backoff.ts'
import type { Clock, Random } from '../clock.ts'
import { isConnectionError, type Connectivity } from '../consul/connectivity.ts'

interface RetryParts {
  readonly connectivity: Connectivity
  readonly clock: Clock
  readonly random: Random
}

/**
 * After a first failure: tries until it succeeds, as soon as Consul answers again, or with growing delays while it
 * answers and refuses. Rejects with the signal's reason.
 */
export async function retry<T> (
  failure: unknown, attempt: () => Promise<T>, { connectivity, clock, random }: RetryParts, signal: AbortSignal
): Promise<T> {
  const backoff = new Backoff({ initial: 500, max: 10_000, random })
  for (let error = failure; ;) {
    if (isConnectionError(error)) await connectivity.restored(signal)
    else await clock.sleep(backoff.next(), signal)
    try {
      return await attempt()
    } catch (cause) {
      signal.throwIfAborted()
      error = cause
    }
  }
}

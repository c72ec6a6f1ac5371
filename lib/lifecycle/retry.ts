import { Backoff } from '../backoff.ts'
import type { Random } from '../clock.ts'
import type { Connectivity } from '../consul/connectivity.ts'

interface RetryParts {
  readonly connectivity: Connectivity
  readonly random: Random
}

/**
 * After a first failure: tries until it succeeds, as soon as Consul answers again, or with growing delays while it
 * answers and refuses. Rejects with the signal's reason.
 */
export async function retry<T> (
  failure: unknown, attempt: () => Promise<T>, { connectivity, random }: RetryParts, signal: AbortSignal
): Promise<T> {
  const backoff = new Backoff({ initial: 500, max: 10_000, random })
  for (let error = failure; ;) {
    await connectivity.recover(error, () => backoff.next(), signal)
    try {
      return await attempt()
    } catch (cause) {
      signal.throwIfAborted()
      error = cause
    }
  }
}

import type { Clock } from '../clock.ts'
import type { Registration } from './registration.ts'

interface DrainParts {
  readonly registration: Registration
  /** Milliseconds: `delay` after the removal was seen, `timeout` in all. */
  readonly drain: { readonly delay: number, readonly timeout: number }
  readonly clock: Clock
}

/**
 * Leaves Consul, and stays until callers have noticed: those that watch need milliseconds, those that poll or cache
 * need `drain.delay`. Requests are served all the while. Nothing registered, nothing to wait for.
 */
export async function drain ({ registration, drain: { delay, timeout }, clock }: DrainParts): Promise<void> {
  const limit = new AbortController()
  const cancel = clock.after(Math.max(timeout - delay, 0), () => limit.abort(new Error('drain.timeout has passed')))
  const wasRegistered = await registration.withdraw(limit.signal)
  cancel()
  if (wasRegistered) await clock.sleep(delay, undefined, true)
}

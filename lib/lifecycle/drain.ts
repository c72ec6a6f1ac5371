import type { Clock } from '../clock.ts'

interface DrainParts {
  /** Takes the service out of Consul within so many milliseconds; answers whether there was anything to take out. */
  readonly withdraw: (within: number) => Promise<boolean>
  /** Milliseconds: `delay` after the removal was seen, `timeout` in all. */
  readonly drain: { readonly delay: number, readonly timeout: number }
  readonly clock: Clock
}

/**
 * Leaves Consul, and stays until callers have noticed: those that watch need milliseconds, those that poll or cache
 * need `drain.delay`. Requests are served all the while. Nothing registered, nothing to wait for.
 */
export async function drain ({ withdraw, drain: { delay, timeout }, clock }: DrainParts): Promise<void> {
  const end = clock.now() + timeout
  const wasRegistered = await withdraw(Math.max(timeout - delay, timeout / 2))
  if (wasRegistered) await clock.sleep(Math.max(Math.min(delay, end - clock.now()), 0), undefined, true)
}

import type { Clock } from '../clock.ts'
import type { ConsulClient } from '../consul/client.ts'
import { ApiTimeoutError, UnavailableError } from '../errors.ts'

/** How long to wait before Consul is asked again for its leader. Milliseconds. */
const askAgainAfter = 100

/**
 * Resolves when Consul has a leader, or when `signal` aborts.
 *
 * @param within milliseconds
 * @throws FST_CONSUL_UNAVAILABLE
 */
export async function requireLeader (
  client: Pick<ConsulClient, 'leader'>, within: number, clock: Clock, signal: AbortSignal
): Promise<void> {
  const end = clock.now() + within
  let cause: unknown
  let answered = false
  for (let left = within; left > 0 && !signal.aborted; left = end - clock.now()) {
    try {
      if (await client.leader({ timeout: left, signal }) !== '') return
      answered = true
      cause = undefined
    } catch (error) {
      // The last question may be cut short by the end: what came of those before says more.
      const saysMore = answered || cause !== undefined
      if (!saysMore || !(error instanceof ApiTimeoutError)) cause = error
    }
    await clock.sleep(Math.min(askAgainAfter, left), signal, true).catch(() => {})
  }
  if (signal.aborted) return
  const why = cause instanceof Error ? cause.message : 'it has no leader'
  throw new UnavailableError(`Consul is needed in mode "full" but was not ready within ${within} ms: ${why}`,
    'Start its agent, correct the url option (CONSUL_URL), or use mode "hybrid", which boots without it', { cause })
}

import { Backoff } from '../backoff.ts'
import type { Clock, Random } from '../clock.ts'
import type { ConsulClient } from '../consul/client.ts'
import { isConnectionError, type Connectivity } from '../consul/connectivity.ts'
import { ApiNotFoundError } from '../errors.ts'
import type { Readiness } from './readiness.ts'
import { recheckEvery } from './recovery.ts'
import type { Registered } from './registrar.ts'

interface HeartbeatParts {
  readonly client: Pick<ConsulClient, 'updateCheck'>
  readonly connectivity: Connectivity
  /** The status to tell, and the output of the own checks. */
  readonly readiness: () => Promise<Readiness>
  readonly clock: Clock
  readonly random: Random
  /** What is registered now. */
  readonly registered: () => Registered
  /** The agent does not know the check. */
  readonly onForgotten: (registered: Registered) => void
  /** The agent answers, and does not take the report; without an error it took one. */
  readonly onRefused: (error: Error | undefined) => void
}

/**
 * Reports the own readiness to a TTL check, which lives three intervals: one report may be late, one may be lost. At
 * every interval, from beginning to beginning; every second while it is not passing.
 */
export async function beat (parts: HeartbeatParts, signal: AbortSignal): Promise<void> {
  const { client, connectivity, readiness, clock, random, registered, onForgotten, onRefused } = parts
  const { check: { interval } } = registered()
  const failed = new Backoff({ initial: Math.min(recheckEvery, interval), max: interval, random })
  for (;;) {
    const began = clock.now()
    const { status, output } = await readiness()
    signal.throwIfAborted()
    const asked = registered()
    try {
      await client.updateCheck(asked.checkId, status, output, { signal, timeout: interval })
      failed.reset()
      onRefused(undefined)
      const pace = status === 'passing' ? interval : Math.min(interval, recheckEvery)
      await clock.sleep(began + pace - clock.now(), signal)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof ApiNotFoundError) onForgotten(asked)
      else if (!isConnectionError(error)) onRefused(error as Error)
      await connectivity.recover(error, () => failed.next(), signal)
    }
  }
}

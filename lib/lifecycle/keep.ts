import type { Clock, Random } from '../clock.ts'
import type { ConsulClient } from '../consul/client.ts'
import { isConnectionError, type Connectivity } from '../consul/connectivity.ts'
import { watch } from '../consul/watch.ts'
import { ApiNotFoundError } from '../errors.ts'
import type { Readiness } from './readiness.ts'
import type { Registered } from './registrar.ts'

interface KeepParts {
  readonly client: ConsulClient
  readonly connectivity: Connectivity
  readonly readiness: () => Promise<Readiness>
  readonly clock: Clock
  readonly random: Random
  /** What is registered now. */
  readonly registered: () => Registered
  /** The agent has lost something: it is to be written again. */
  readonly correct: (reason: string) => Promise<void>
}

/** How long the agent may hold back the answer that nothing has changed. Milliseconds. */
const keepWait = 60_000
/** How often the own checks run while the service is not healthy. Milliseconds. */
const recheckEvery = 1000

/** Wakes within milliseconds when the agent forgets the service: restarted empty, or told to by someone else. */
export async function watchAgent (
  { client, connectivity, clock, random, registered, correct }: KeepParts, signal: AbortSignal
): Promise<void> {
  await watch({
    query: (hash, signal) => client.agentService(registered().id, { signal, hash, wait: keepWait }),
    advance: (_, { hash }) => ({ next: hash, valid: true }),
    onAnswer: () => {},
    onError: async error => {
      if (error instanceof ApiNotFoundError) await correct('the agent does not know it')
    },
    connectivity,
    clock,
    random
  }, signal)
}

/** Reports the own readiness to a TTL check: at every interval, and every second while it is not passing. */
export async function beat (parts: KeepParts, signal: AbortSignal): Promise<void> {
  const { client, connectivity, readiness, clock, registered, correct } = parts
  for (;;) {
    const { status, output } = await readiness()
    signal.throwIfAborted()
    const { checkId, check: { interval } } = registered()
    try {
      await client.updateCheck(checkId, status, output, { signal, timeout: interval })
      await clock.sleep(status === 'passing' ? interval : Math.min(interval, recheckEvery), signal)
    } catch (error) {
      signal.throwIfAborted()
      connectivity.report(error)
      if (error instanceof ApiNotFoundError) await correct('the agent does not know its check')
      if (isConnectionError(error)) await connectivity.restored(signal)
      else await clock.sleep(recheckEvery, signal)
    }
  }
}

/**
 * For a service that was registered ill: says so when it gets better. Consul's own check would find out only at its
 * next interval.
 */
export async function pushRecovery (
  { readiness, clock, registered, improve }:
  Pick<KeepParts, 'readiness' | 'clock' | 'registered'> & { readonly improve: () => Promise<void> },
  signal: AbortSignal
): Promise<void> {
  while (registered().status !== 'passing') {
    await clock.sleep(recheckEvery, signal)
    const { status } = await readiness()
    if (rank[status] > rank[registered().status]) await improve()
  }
}

const rank: Readonly<Record<Readiness['status'], number>> = { critical: 0, warning: 1, passing: 2 }

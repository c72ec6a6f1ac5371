import type { Clock, Random } from '../clock.ts'
import type { ConsulClient } from '../consul/client.ts'
import { isConnectionError, type Connectivity } from '../consul/connectivity.ts'
import { watch } from '../consul/watch.ts'
import type { CheckStatus } from '../consul/wire.ts'
import { ApiNotFoundError } from '../errors.ts'
import type { Enrolled, RegistrationPlan } from './enrolment.ts'

interface KeepParts {
  readonly client: ConsulClient
  readonly connectivity: Connectivity
  readonly readiness: () => Promise<{ status: CheckStatus, output: string }>
  readonly clock: Clock
  readonly random: Random
  readonly plan: RegistrationPlan
  /** What is registered now. */
  readonly enrolled: () => Enrolled
  /** The agent lost something: it is written again. */
  readonly correct: (reason: string) => Promise<void>
}

/** How long the agent may hold back the answer that nothing has changed. Milliseconds. */
const keepWait = 60_000
/** How often the own checks run while the service is not healthy. Milliseconds. */
const recheckEvery = 1000

/** Keeps the agent and a registered service in step until the signal aborts. */
export function keep (parts: KeepParts, signal: AbortSignal): void {
  watchAgent(parts, signal)
  if (parts.plan.check.type === 'ttl') beat(parts, signal).catch(() => {})
}

/** Wakes within milliseconds when the agent forgets the service: restarted empty, or told to by someone else. */
function watchAgent ({ client, connectivity, clock, random, plan, correct }: KeepParts, signal: AbortSignal): void {
  watch({
    query: (hash, signal) => client.agentService(plan.id, { signal, hash, wait: keepWait }),
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

/** Reports the own readiness as a TTL check: at every interval, and every second while it is not passing. */
async function beat (parts: KeepParts, signal: AbortSignal): Promise<void> {
  const { client, connectivity, readiness, clock, plan, enrolled, correct } = parts
  const { interval } = plan.check
  for (;;) {
    const { status, output } = await readiness()
    signal.throwIfAborted()
    try {
      await client.updateCheck(enrolled().checkId, status, output, { signal, timeout: interval })
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

/** Consul's own check would find out only at its next interval that a service, registered ill, is well. */
export async function pushRecovery (
  { readiness, clock, enrolled, improve }:
  Pick<KeepParts, 'readiness' | 'clock' | 'enrolled'> & { readonly improve: () => Promise<void> },
  signal: AbortSignal
): Promise<void> {
  while (enrolled().status !== 'passing') {
    await clock.sleep(recheckEvery, signal)
    const { status } = await readiness()
    if (rank[status] > rank[enrolled().status]) await improve().catch(() => {})
  }
}

const rank: Readonly<Record<CheckStatus, number>> = { critical: 0, warning: 1, passing: 2 }

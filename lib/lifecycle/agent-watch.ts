import type { Clock, Random } from '../clock.ts'
import type { ConsulClient } from '../consul/client.ts'
import type { Connectivity } from '../consul/connectivity.ts'
import { watch } from '../consul/watch.ts'
import type { WireService } from '../consul/wire.ts'
import { ApiNotFoundError } from '../errors.ts'

interface AgentWatchParts {
  readonly client: Pick<ConsulClient, 'agentService'>
  readonly connectivity: Connectivity
  readonly clock: Clock
  readonly random: Random
}

/** How long the agent may hold back the answer that nothing has changed. Milliseconds. */
const wait = 60_000

/**
 * Tells what the agent has under an id, now and within milliseconds of each change: `undefined` when it has forgotten
 * it, restarted empty or told to by someone else. The first question carries no hash, so nothing that was read before
 * is waited on.
 */
export async function watchAgent (
  id: string,
  onAnswer: (service: WireService | undefined) => void,
  { client, connectivity, clock, random }: AgentWatchParts,
  signal: AbortSignal
): Promise<void> {
  await watch({
    query: (hash, signal) => client.agentService(id, { signal, hash, wait }),
    advance: (_, { hash }) => ({ next: hash, valid: !signal.aborted }),
    onAnswer: ({ value }) => onAnswer(value),
    onError: error => { if (error instanceof ApiNotFoundError && !signal.aborted) onAnswer(undefined) },
    connectivity,
    clock,
    random
  }, signal)
}

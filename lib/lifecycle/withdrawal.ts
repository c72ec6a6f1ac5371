import { abortable } from '../abortable.ts'
import type { Clock } from '../clock.ts'
import type { ConsulClient } from '../consul/client.ts'
import type { Connectivity } from '../consul/connectivity.ts'
import { ApiNotFoundError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { confirmation } from './confirmation.ts'
import { limitOf } from '../limit.ts'
import type { Listing } from './listing.ts'
import type { Registrar } from './registrar.ts'

interface WithdrawalParts {
  readonly id: string
  /** Someone else has written the entry. */
  readonly contested: boolean
  readonly registrar: Registrar
  readonly listing: Listing
  readonly client: ConsulClient
  readonly connectivity: Connectivity
  readonly logger: Logger
  readonly clock: Clock
}

/**
 * Takes the service out of Consul and waits until the catalog lists it no longer, `within` milliseconds in all.
 *
 * @returns whether there was anything of ours to take out
 */
export async function withdraw (parts: WithdrawalParts, within: number): Promise<boolean> {
  const { id, contested, registrar, connectivity, logger, clock } = parts
  const limit = limitOf(within, 'drain.timeout has passed', clock)
  try {
    await settled(parts, within / 2)
    if (!registrar.hasWritten) return false
    if (contested && await isForeign(parts, limit.signal)) {
      logger.info({ id }, 'Not deregistered: another process has registered under this id')
      return false
    }
    await registrar.deregister(limit.signal)
    if (connectivity.up) await abortable(seenGone(parts, limit.signal), limit.signal)
    logger.info({ id }, 'Deregistered from Consul')
  } catch (error) {
    logger.warn({ id, err: error }, limit.signal.aborted
      ? 'The removal from Consul was not seen in time'
      : 'Not deregistered: Consul removes the service after its check was critical for check.deregisterAfter')
  } finally {
    limit.cancel()
  }
  return true
}

/**
 * Waits for the write under way: a deregistration that overtakes it would leave the service at the agent. Not for
 * ever, as an agent without a leader takes the service long before it answers.
 */
async function settled ({ registrar, clock }: WithdrawalParts, within: number): Promise<void> {
  const patience = limitOf(within, 'the write takes too long', clock)
  await abortable(registrar.settled(), patience.signal).catch(() => {})
  patience.cancel()
}

/** Whether what the agent has under the id is somewhere else. */
async function isForeign ({ id, registrar, client }: WithdrawalParts, signal: AbortSignal): Promise<boolean> {
  const { address, port } = registrar.registered!.definition
  try {
    const { value: { Address: itsAddress, Port: itsPort = 0 } } = await client.agentService(id, { signal })
    return itsAddress !== address || itsPort !== port
  } catch (error) {
    if (error instanceof ApiNotFoundError) return true
    throw error
  }
}

/** What the agent took last, and the catalog has not shown yet, may still be on its way there. */
async function seenGone ({ listing, registrar, client }: WithdrawalParts, signal: AbortSignal): Promise<void> {
  const { registered } = registrar
  if (listing.isListed || listing.isShown || registered === undefined) return await listing.gone()
  const gone = listing.change()
  const { kind } = await confirmation({ client, registered }, signal)
  if (kind === 'shown') await gone
}

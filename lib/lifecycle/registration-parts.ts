import type { Clock, Random } from '../clock.ts'
import type { ConsulClient } from '../consul/client.ts'
import type { Connectivity } from '../consul/connectivity.ts'
import type { WireHealthEntry } from '../consul/wire.ts'
import type { Logger } from '../logger.ts'
import type { Loss } from './loss.ts'
import type { Readiness } from './readiness.ts'

/** Gets what the catalog lists, and whether it says that this is only what the token may see. */
type Follower = (entries: readonly WireHealthEntry[], filtered: boolean) => void

/** Why a service is registered: for the first time, for what was lost, for a new token, or as it is well again. */
export type WriteReason = 'first' | Loss['kind'] | 'token' | 'recovered'

/** What a registration needs of others. */
export interface RegistrationParts {
  readonly client: ConsulClient
  readonly connectivity: Connectivity
  readonly readiness: () => Promise<Readiness>
  /** Tells what the catalog lists under a name, now and after each change, until the returned function is called. */
  readonly follow: (name: string, listener: Follower) => () => void
  /** Calls the listener when requests carry another token than before, until the returned function is called. */
  readonly onTokenChange: (listener: () => void) => () => void
  /** Told of each registration that the agent has taken. */
  readonly onWritten?: ((reason: WriteReason) => void) | undefined
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

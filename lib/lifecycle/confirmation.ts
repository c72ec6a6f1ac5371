import type { ConsulClient } from '../consul/client.ts'
import type { WireHealthEntry } from '../consul/wire.ts'
import { NotSyncedError } from '../errors.ts'
import { showsCheck } from './loss.ts'
import type { Registered } from './registrar.ts'

interface Asked {
  readonly client: Pick<ConsulClient, 'health' | 'listServices'>
  readonly registered: Registered
}

/** What the leader says of a service that the agent has. */
export type Confirmation =
  | { readonly kind: 'shown', readonly entry: WireHealthEntry }
  /** It lists the name, but not to this token. */
  | { readonly kind: 'hidden' }
  | { readonly kind: 'absent', readonly error: Error }

/**
 * Looks for the service where the last word is spoken. An agent answers 200 also when the servers refuse to take the
 * service over from it, and a token without node:read is shown no instance, but the names of services all the same.
 */
export async function confirmation ({ client, registered }: Asked, signal: AbortSignal): Promise<Confirmation> {
  const { id, checkId, service: { name } } = registered
  const { value: entries, filteredByAcls } = await client.health(name, { signal, consistency: 'default' })
  const entry = entries.find(({ Service: service }) => service.ID === id)
  if (entry !== undefined && showsCheck(entry, checkId)) return { kind: 'shown', entry }
  if (filteredByAcls) return { kind: 'hidden' }
  const names = entries.length > 0 ? {} : await client.listServices({ signal, consistency: 'default' })
  if (Object.hasOwn(names, name)) return { kind: 'hidden' }
  return {
    kind: 'absent',
    error: new NotSyncedError(id, 'the servers refuse it, as when the token or the agent\'s own lacks a right ' +
      '(service:write, node:write), or was revoked; the agent\'s log says which')
  }
}

import { statusIn } from '../consul/answer.ts'
import type { ConsulClient } from '../consul/client.ts'
import { isConnectionError } from '../consul/connectivity.ts'
import type { Answer, Right, WireHealthEntry } from '../consul/wire.ts'
import type { ServiceView } from './view.ts'

interface Options {
  readonly client: Pick<ConsulClient, 'health' | 'authorize'>
  readonly consistency: 'stale' | 'default' | 'consistent'
  /** Milliseconds. */
  readonly timeout: number
  readonly signal: AbortSignal
}

/** One right for each node that is asked about; more would make a long question. */
const maxNodes = 100
/** The status with which Consul says that it has none to ask for. */
const withoutAccessControl = 401

/**
 * Asks the leader for the whole list, because what it does not list is to count as gone. What the token may not see is
 * no whole list: Consul says so since 1.11, and tells the rights when it is asked.
 */
export async function lookAgain (view: ServiceView, options: Options): Promise<Answer<WireHealthEntry[]>> {
  const { client, consistency, timeout, signal } = options
  const { name, ...key } = view.key
  // The rights first: it is lost ones that lead here, and if they come back meanwhile, they must not vouch for a list
  // that was made without them.
  const isWhole = await seesAll(view, options)
  const answer = await client.health(name, {
    ...key, consistency: consistency === 'stale' ? 'default' : consistency, timeout, signal
  })
  return { ...answer, filteredByAcls: answer.filteredByAcls || !isWhole }
}

/**
 * Whether the token may read the service and the nodes of what is missing. Without access control it may; where Consul
 * cannot say, unless nothing else explains what is missing.
 */
async function seesAll (view: ServiceView, { client, timeout, signal }: Options): Promise<boolean> {
  const missing = view.snapshot?.known.filter(({ held }) => held !== undefined) ?? []
  const nodes = [...new Set(missing.map(({ node }) => node))].slice(0, maxNodes)
  const rights: Right[] = [
    { resource: 'service', access: 'read', name: view.key.name },
    ...nodes.map(name => ({ resource: 'node', access: 'read', name } as const))
  ]
  try {
    return (await client.authorize(rights, { timeout, signal })).every(Boolean)
  } catch (error) {
    if (isConnectionError(error) || signal.aborted) throw error
    return statusIn(error) === withoutAccessControl || missing.every(({ held }) => held?.doubt !== 'unmoved')
  }
}

import type { QueryParameters } from './transport.ts'
import type { BlockingOptions } from './wait.ts'

/** What may be said of a request, and how that is written in its URL. */

export interface CallOptions {
  signal?: AbortSignal | undefined
  /** Milliseconds to the whole answer. Default: the `timeout` option, for blocking queries on top of the wait. */
  timeout?: number
}

export interface ReadOptions extends CallOptions {
  /** Default: the `datacenter` option, else the agent's. */
  datacenter?: string | undefined
  /** Consul Enterprise. Default: the `namespace` option, else the token's. */
  namespace?: string | undefined
  /** Consul Enterprise. Default: the `partition` option, else the agent's. */
  partition?: string | undefined
  consistency?: 'stale' | 'default' | 'consistent'
}

export interface HealthQuery extends ReadOptions, BlockingOptions {
  /** The index of the answer before: Consul answers when there is a newer one, or after `wait`. */
  index?: string | undefined
  tag?: string | undefined
  filter?: string | undefined
  near?: string | undefined
  /** Only instances whose checks all pass. */
  passing?: boolean
}

/** @param own the datacenter of a read that names none */
export function readParameters (
  { datacenter: dc, namespace, partition, consistency = 'default' }: ReadOptions, own: string | undefined
): QueryParameters {
  return {
    dc: dc ?? own,
    ...(namespace !== undefined && { ns: namespace }),
    ...(partition !== undefined && { partition }),
    stale: consistency === 'stale',
    consistent: consistency === 'consistent'
  }
}

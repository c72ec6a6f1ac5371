import type { ServiceInstance } from '../consul/instance.ts'

/** Which instances of a service are wanted. Tags and status are matched in memory, the rest by Consul. */
export interface DiscoverQuery {
  /** Only instances with this tag. */
  tag?: string | undefined
  /** Only instances with all of these tags. */
  tags?: readonly string[] | undefined
  /** Default: the `datacenter` option, else the agent's. */
  datacenter?: string | undefined
  /** A filter expression of Consul's; watched apart from the plain service. */
  filter?: string | undefined
  /** Without those in `warning`. Default: `discovery.passingOnly`. */
  passingOnly?: boolean | undefined
  /** A node name or `_agent`: nearest first, by Consul's coordinates; watched apart from the plain service. */
  near?: string | undefined
}

/** Every healthy instance. */
export const noQuery: DiscoverQuery = Object.freeze({})

/** `mayReturn`: they are still there, but critical or in maintenance. */
export type LeaveListener = (left: readonly ServiceInstance[], mayReturn: boolean) => void

/** Where instances come from. Its arrays are frozen and the same until something changes. */
export interface InstanceSource {
  /** What is in memory, without waiting; `undefined` if the service was never asked for. */
  peek (name: string, query?: DiscoverQuery): readonly ServiceInstance[] | undefined
  /**
   * The healthy instances: the first call for a service waits for Consul, every later one is answered from memory.
   *
   * @throws FST_CONSUL_UNAVAILABLE if Consul has never answered and does not within the `timeout` option, and there is
   * no fallback
   * @throws FST_CONSUL_INVALID_NAME
   */
  discover (name: string, query?: DiscoverQuery): Promise<readonly ServiceInstance[]>
  /** Tells of instances that may not be called any longer; returns the function that ends it. */
  onLeave (listener: LeaveListener): () => void
}

/** What stays the same over every refresh of an instance, and differs between any two. */
export function instanceKey (instance: ServiceInstance): string {
  return `${instance.name}/${instance.datacenter}/${instance.node}/${instance.id}`
}

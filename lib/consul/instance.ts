import { isIPv6 } from 'node:net'

/** One instance of a service that may be called, as it was last seen in Consul. Frozen. */
export interface ServiceInstance {
  /** The service id, unique on the node's agent. */
  readonly id: string
  readonly name: string
  /** The service's address, the node's if it has none of its own. An IPv6 address stands without brackets. */
  readonly address: string
  readonly port: number
  readonly tags: readonly string[]
  /** A null-prototype object. */
  readonly meta: Readonly<Record<string, string>>
  readonly status: 'passing' | 'warning'
  /** Consul's weight for the present status; default 1. */
  readonly weight: number
  /** From `meta.scheme`. Default `http`. */
  readonly scheme: 'http' | 'https'
  readonly node: string
  readonly datacenter: string
  /** `scheme://address:port`, with brackets around an IPv6 address. */
  readonly url: string
}

export type InstanceFields = Omit<ServiceInstance, 'url'>

/** A frozen instance from its fields. */
export function createInstance (fields: InstanceFields): ServiceInstance {
  return Object.freeze(Object.create(prototype, Object.getOwnPropertyDescriptors(fields)))
}

const prototype = {
  get url () {
    const { scheme, address, port } = this as unknown as InstanceFields
    return `${scheme}://${isIPv6(address) ? `[${address}]` : address}:${port}`
  }
}

import { hostPort } from '../host-port.ts'

type Fields = Omit<ServiceInstance, 'url' | 'weight'>

/** One instance of a service that may be called, as it was last seen in Consul. Frozen. */
export class ServiceInstance {
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
  /** Consul's weights for both statuses; default 1 and 1. */
  readonly weights: { readonly passing: number, readonly warning: number }
  /** From `meta.scheme`. Default `http`. */
  readonly scheme: 'http' | 'https'
  readonly node: string
  readonly datacenter: string

  constructor (fields: Fields) {
    this.id = fields.id
    this.name = fields.name
    this.address = fields.address
    this.port = fields.port
    this.tags = fields.tags
    this.meta = fields.meta
    this.status = fields.status
    this.weight = fields.weights[fields.status]
    this.weights = fields.weights
    this.scheme = fields.scheme
    this.node = fields.node
    this.datacenter = fields.datacenter
    Object.freeze(this)
  }

  /** `scheme://address:port`, with brackets around an IPv6 address. */
  get url (): string {
    return `${this.scheme}://${hostPort(this.address, this.port)}`
  }
}

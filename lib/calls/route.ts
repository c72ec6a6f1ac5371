import type { Balancer } from '../balancing/balancer.ts'
import type { Group } from '../balancing/group.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import type { DiscoverQuery } from '../discovery/source.ts'
import type { Balance } from './balance.ts'
import type { Target } from './target.ts'

/** The instances that a call may go to. */
export interface Scope {
  readonly query: DiscoverQuery
  readonly group: Group
}

/** A service under one origin, such as `http://l02-runtime`. */
export class Route {
  readonly service: string
  /** Whether `calls.allow` lets it be called. */
  readonly allowed: boolean
  readonly #target: Target
  readonly #balancer: Balancer
  readonly #secure: boolean
  readonly #plainOrigin: string
  readonly #secureOrigin: string
  #scope: Scope
  #generation: number

  constructor (target: Target, url: URL, allowed: boolean, balancer: Balancer) {
    this.service = target.service
    this.allowed = allowed
    this.#target = target
    this.#balancer = balancer
    this.#secure = url.protocol === 'https:'
    this.#plainOrigin = `http://${url.host}`
    this.#secureOrigin = `https://${url.host}`
    this.#scope = this.#makeScope(target.tag, target.datacenter)
    this.#generation = balancer.generation
  }

  /** What the call says of tag and datacenter goes before what the URL says. */
  scopeOf ({ tag, datacenter }: Balance): Scope {
    if (tag === undefined && datacenter === undefined) return this.#ownScope()
    return this.#makeScope(tag ?? this.#target.tag, datacenter ?? this.#target.datacenter)
  }

  /** The origin by which an instance is called: with TLS if the URL or the instance wants it. */
  originFor ({ scheme }: ServiceInstance): string {
    return this.#secure || scheme === 'https' ? this.#secureOrigin : this.#plainOrigin
  }

  /** Asked for again at times: a group that nobody asks for is forgotten, and others get another one. */
  #ownScope (): Scope {
    const { generation } = this.#balancer
    if (generation !== this.#generation) {
      this.#scope = this.#makeScope(this.#target.tag, this.#target.datacenter)
      this.#generation = generation
    }
    return this.#scope
  }

  #makeScope (tag: string | undefined, datacenter: string | undefined): Scope {
    return scopeOf(this.#balancer, this.service, tag, datacenter)
  }
}

export function scopeOf (
  balancer: Balancer, service: string, tag: string | undefined, datacenter: string | undefined
): Scope {
  const query = { ...(tag !== undefined && { tag }), ...(datacenter !== undefined && { datacenter }) }
  return { query, group: balancer.group(service, tag, datacenter) }
}

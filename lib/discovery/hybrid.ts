import type { ServiceInstance } from '../consul/instance.ts'
import { UnavailableError } from '../errors.ts'
import type { Catalog } from './catalog.ts'
import { noQuery, type DiscoverQuery, type InstanceSource, type LeaveListener } from './source.ts'
import type { StaticSource } from './static.ts'

/**
 * Consul first. The fallback serves where Consul has never answered, and where no instance is registered at all; not
 * where all are critical: then the service is down, and Consul knows it.
 */
export class HybridSource implements InstanceSource {
  readonly #catalog: Catalog
  readonly #fallback: StaticSource

  constructor (catalog: Catalog, fallback: StaticSource) {
    this.#catalog = catalog
    this.#fallback = fallback
  }

  peek (name: string, query = noQuery): readonly ServiceInstance[] | undefined {
    const instances = this.#catalog.peek(name, query)
    if (instances === undefined || instances.length > 0 || !this.#fallback.has(name)) return instances
    return this.#catalog.peek(name, unfiltered(query)) && this.#orFallback(instances, name, query)
  }

  async discover (name: string, query = noQuery): Promise<readonly ServiceInstance[]> {
    if (!this.#fallback.has(name)) return await this.#catalog.discover(name, query)
    try {
      const instances = await this.#catalog.discoverNow(name, query)
      if (instances.length > 0) return instances
      await this.#catalog.discoverNow(name, unfiltered(query))
      return this.#orFallback(instances, name, query)
    } catch (error) {
      if (error instanceof UnavailableError) return this.#fallback.peek(name)
      throw error
    }
  }

  onLeave (listener: LeaveListener): () => void {
    return this.#catalog.onLeave(listener)
  }

  #orFallback (
    instances: readonly ServiceInstance[], name: string, query: DiscoverQuery
  ): readonly ServiceInstance[] {
    return this.#catalog.isUnregistered(name, unfiltered(query)) ? this.#fallback.peek(name) : instances
  }
}

/** What a filter of Consul's leaves out is registered all the same. */
function unfiltered (query: DiscoverQuery): DiscoverQuery {
  return query.filter === undefined ? query : { datacenter: query.datacenter }
}

import type { ServiceInstance } from '../consul/instance.ts'
import type { Comparison } from './comparison.ts'
import type { DiscoverQuery, InstanceSource } from './source.ts'
import type { StaticSource } from './static.ts'

/** The fallback, compared with what Consul would have answered: the evidence for going on to `hybrid`. */
export class ComparedSource implements InstanceSource {
  readonly #fallback: StaticSource
  readonly #comparison: Comparison

  constructor (fallback: StaticSource, comparison: Comparison) {
    this.#fallback = fallback
    this.#comparison = comparison
  }

  peek (name: string): readonly ServiceInstance[] {
    this.#comparison.look(name)
    return this.#fallback.peek(name)
  }

  async discover (name: string, _query?: DiscoverQuery): Promise<readonly ServiceInstance[]> {
    const instances = await this.#fallback.discover(name)
    this.#comparison.look(name)
    return instances
  }

  onLeave (): () => void {
    return () => {}
  }
}

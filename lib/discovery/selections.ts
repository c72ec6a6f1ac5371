import { BoundedMap } from '../bounded-map.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import { matches, sameElements } from './instances.ts'
import type { DiscoverQuery } from './source.ts'

/** More than any program has on purpose; tags may come from users. */
const remembered = 100

interface Selection {
  /** Of which list, by number: the list itself would be kept for as long as a tag is not asked for again. */
  readonly from: number
  readonly list: readonly ServiceInstance[]
}

/** The lists that were selected from that of a service: each the same array until one of its own instances changes. */
export class Selections {
  /** By tag, `undefined` for none: calls look here each time, and make nothing for it. */
  readonly #healthy = new BoundedMap<string | undefined, Selection>(remembered)
  readonly #passing = new BoundedMap<string | undefined, Selection>(remembered)
  /** By several tags. */
  readonly #others = new BoundedMap<string, Selection>(remembered)
  #from: readonly ServiceInstance[] = []
  #number = 0

  of (from: readonly ServiceInstance[], query: DiscoverQuery, passingOnly: boolean): readonly ServiceInstance[] {
    if (from !== this.#from) {
      this.#from = from
      this.#number++
    }
    const { tag, tags } = query
    if (tags !== undefined) {
      return this.#selectIn(this.#others, JSON.stringify([tag, tags, passingOnly]), query, passingOnly)
    }
    return this.#selectIn(passingOnly ? this.#passing : this.#healthy, tag, query, passingOnly)
  }

  #selectIn<K> (
    known: BoundedMap<K, Selection>, key: K, query: DiscoverQuery, passingOnly: boolean
  ): readonly ServiceInstance[] {
    const last = known.get(key)
    if (last?.from === this.#number) return last.list
    const wanted = { ...query, passingOnly }
    const found = this.#from.filter(instance => matches(instance, wanted))
    const list = last !== undefined && sameElements(last.list, found) ? last.list : Object.freeze(found)
    known.set(key, { from: this.#number, list })
    return list
  }
}

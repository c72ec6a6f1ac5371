import { BoundedMap } from '../bounded-map.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import { matches, sameElements } from './instances.ts'
import type { DiscoverQuery } from './source.ts'

/** More than any program has on purpose; tags may come from users. */
const remembered = 100

interface Selection {
  readonly from: readonly ServiceInstance[]
  readonly list: readonly ServiceInstance[]
}

/** The lists that were selected from that of a service: each the same array until one of its own instances changes. */
export class Selections {
  /** By tag, `undefined` for none: calls look here each time, and make nothing for it. */
  readonly #healthy = new BoundedMap<string | undefined, Selection>(remembered)
  readonly #passing = new BoundedMap<string | undefined, Selection>(remembered)
  /** By several tags. */
  readonly #others = new BoundedMap<string, Selection>(remembered)

  of (from: readonly ServiceInstance[], query: DiscoverQuery, passingOnly: boolean): readonly ServiceInstance[] {
    const { tag, tags } = query
    if (tags !== undefined) {
      return selectIn(this.#others, JSON.stringify([tag, tags, passingOnly]), from, query, passingOnly)
    }
    return selectIn(passingOnly ? this.#passing : this.#healthy, tag, from, query, passingOnly)
  }
}

function selectIn<K> (
  known: BoundedMap<K, Selection>, key: K, from: readonly ServiceInstance[], query: DiscoverQuery, passingOnly: boolean
): readonly ServiceInstance[] {
  const last = known.get(key)
  if (last?.from === from) return last.list
  const wanted = { ...query, passingOnly }
  const found = from.filter(instance => matches(instance, wanted))
  const list = last !== undefined && sameElements(last.list, found) ? last.list : Object.freeze(found)
  known.set(key, { from, list })
  return list
}

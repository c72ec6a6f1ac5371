import { instanceKey } from '../discovery/source.ts'
import type { Endpoint } from './endpoint.ts'
import { isOpen, type PickContext, type Strategy } from './strategy.ts'

/** Always the one with the lowest service id, so that every client picks the same; the next one if that fails. */
export class First implements Strategy {
  readonly goesBy = 'choice'
  #endpoints: readonly Endpoint[] = []
  #ordered: readonly Endpoint[] = []

  pick (endpoints: readonly Endpoint[], context: PickContext, mayPick = isOpen): Endpoint | undefined {
    if (endpoints !== this.#endpoints) {
      this.#ordered = endpoints.toSorted(byId)
      this.#endpoints = endpoints
    }
    for (const endpoint of this.#ordered) if (mayPick(endpoint, context)) return endpoint
    return undefined
  }
}

/** By code unit: the order must not depend on a machine's language. */
function byId ({ instance: one }: Endpoint, { instance: other }: Endpoint): number {
  return compare(one.id, other.id) || compare(instanceKey(one), instanceKey(other))
}

function compare (one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}

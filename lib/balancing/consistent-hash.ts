import { InvalidOptionError } from '../errors.ts'
import { instanceKey } from '../discovery/source.ts'
import type { Endpoint } from './endpoint.ts'
import { Ring } from './ring.ts'
import { isOpen, type PickContext, type Strategy } from './strategy.ts'
import { positiveWeights } from './weights.ts'

/** After so many points it is looked whether there is anyone to be found: there may be very many more. */
const doubtAfter = 16

/**
 * Calls with the same key go to the same endpoint, from every client; when one joins or leaves only its own share of
 * the keys moves. An endpoint is known by its service id: one that is started again elsewhere has the same keys.
 */
export class ConsistentHash implements Strategy {
  readonly goesBy = 'choice'
  #endpoints: readonly Endpoint[] = []
  #ring = new Ring([])

  /** @throws FST_CONSUL_INVALID_OPTION if the call has no key */
  pick (endpoints: readonly Endpoint[], context: PickContext, mayPick = isOpen): Endpoint | undefined {
    const { key } = context
    if (key === undefined) {
      throw new InvalidOptionError('balance.key', 'a string: the strategy "consistent-hash" goes by it', 'nothing')
    }
    if (endpoints !== this.#endpoints) this.#build(endpoints)
    const ring = this.#ring
    const start = ring.positionOf(key)
    for (let step = 0; step < ring.size; step++) {
      const endpoint = endpoints[ring.memberAt(start + step)] as Endpoint
      if (mayPick(endpoint, context)) return endpoint
      if (step === doubtAfter && !endpoints.some(each => mayPick(each, context))) return undefined
    }
    return undefined
  }

  #build (endpoints: readonly Endpoint[]): void {
    const weights = positiveWeights(endpoints)
    const ids = idsOf(endpoints)
    this.#ring = new Ring(ids.map((id, index) => ({ id, weight: weights[index] as number })))
    this.#endpoints = endpoints
  }
}

/** Ids are unique on their node only: where two are the same, the node is part of them. */
function idsOf (endpoints: readonly Endpoint[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const { instance: { id } } of endpoints) counts.set(id, (counts.get(id) ?? 0) + 1)
  return endpoints.map(({ instance }) => counts.get(instance.id) === 1 ? instance.id : instanceKey(instance))
}

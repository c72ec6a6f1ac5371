import { hashOf, mix } from './hash.ts'

/** Points for all together: building 2^17 takes some 15 ms, once for each change of the list. */
const maxPoints = 2 ** 17
/** Points for a weight of 1: with 256 the shares differ by 6 % (standard deviation), as with Envoy's least ring. */
const usualPoints = 256

/** A place on the ring and whose it is, in one number that sorts by place. */
const placeUnit = 2 ** 20

/** Who stands on the ring. */
export interface Member {
  readonly id: string
  /** Above 0. */
  readonly weight: number
}

/**
 * A circle on which everyone stands at many points. A key belongs to whom the next point from its own place on belongs
 * to. Who joins, or weighs more, takes keys from the others; who leaves, or weighs less, gives them to the others. No
 * others move, unless the points for all become so many that everyone's are halved, or so few that they are doubled.
 */
export class Ring {
  /** Sorted: place × 2^20 + index of the member. */
  readonly #points: Float64Array

  constructor (members: readonly Member[]) {
    const each = pointsEach(members)
    const counts = members.map(({ weight }) => Math.max(1, Math.round(each * weight)))
    this.#points = new Float64Array(counts.reduce((sum, count) => sum + count, 0))
    let next = 0
    members.forEach(({ id }, index) => {
      const place = hashOf(id)
      const stride = hashOf(id, place) | 1
      for (let point = 0; point < (counts[index] as number); point++) {
        this.#points[next++] = mix(place + Math.imul(stride, point)) * placeUnit + index
      }
    })
    this.#points.sort()
  }

  /** Members by the distance of their next point from the key, the owner first. Some come again and again. */
  * from (key: string): Generator<number, void> {
    const { length } = this.#points
    const start = this.#search(hashOf(key) * placeUnit)
    for (let step = 0; step < length; step++) yield this.#memberAt((start + step) % length)
  }

  /** The member to whom a key belongs. */
  ownerOf (key: string): number {
    const position = this.#search(hashOf(key) * placeUnit)
    return this.#memberAt(position === this.#points.length ? 0 : position)
  }

  #memberAt (position: number): number {
    return (this.#points[position] as number) % placeUnit
  }

  /** The position of the first point that is not before this. */
  #search (point: number): number {
    const points = this.#points
    let low = 0
    let high = points.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((points[middle] as number) < point) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** For a weight of 1, whatever the others weigh. Halved as often as it takes to stay below the most for all. */
function pointsEach (members: readonly Member[]): number {
  const wanted = members.reduce((sum, { weight }) => sum + usualPoints * weight, 0)
  return usualPoints / 2 ** Math.max(0, Math.ceil(Math.log2(wanted / maxPoints)))
}

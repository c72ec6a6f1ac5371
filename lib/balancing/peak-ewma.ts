import type { Endpoint } from './endpoint.ts'
import { levelOf } from './ewma.ts'
import { Least } from './least.ts'
import { isOpen, type PickContext } from './strategy.ts'

/** What is assumed of a newcomer is not less, in milliseconds, or it would get everything. Source: Linkerd, 1 ms. */
const fastestAssumed = 1

/**
 * A slower endpoint that has answered nothing for so long counts like a newcomer, whatever its last latency was: one
 * request shows how it is now. Milliseconds; of an older latency less than 5 % would be left.
 */
const forgottenAfter = 15_000

/** How often latencies are compared with the median. Milliseconds. */
const reviewInterval = 1000

/** So many latencies are enough for a median. */
const sampleSize = 101

/**
 * The one where a request takes the least time: its latency, which rises at once and falls slowly, times the attempts
 * under way there, for its weight.
 */
export class PeakEwma extends Least {
  #endpoints: readonly Endpoint[] = []
  #reviewAt = 0

  override pick (endpoints: readonly Endpoint[], context: PickContext, mayPick = isOpen): Endpoint | undefined {
    const { now } = context
    if (endpoints !== this.#endpoints || now >= this.#reviewAt) this.#review(endpoints, now)
    return super.pick(endpoints, context, mayPick)
  }

  protected override measure ({ cost }: Endpoint): number {
    return cost
  }

  protected override isBetter (other: Endpoint, drawn: Endpoint): boolean {
    return other.cost < drawn.cost
  }

  /** Newcomers get the median of the others, which neither floods nor starves them. */
  #review (endpoints: readonly Endpoint[], now: number): void {
    this.#endpoints = endpoints
    this.#reviewAt = now + reviewInterval
    const median = medianOf(endpoints)
    if (median === undefined) return
    const assumed = Math.max(median, levelOf(fastestAssumed, now))
    for (const endpoint of endpoints) {
      const isForgotten = endpoint.latencyLevel > assumed && now - endpoint.latencyAt >= forgottenAfter
      if (isForgotten || endpoint.latencyLevel === -Infinity) endpoint.assumeLatency(assumed, now)
    }
  }
}

/** Of the latencies that are known, out of a sample; of two in the middle the lower one. `undefined`: none is. */
function medianOf (endpoints: readonly Endpoint[]): number | undefined {
  const step = Math.ceil(endpoints.length / sampleSize)
  const levels: number[] = []
  for (let index = 0; index < endpoints.length; index += step) {
    const level = (endpoints[index] as Endpoint).latencyLevel
    if (level !== -Infinity) levels.push(level)
  }
  return levels.sort((one, other) => one - other)[(levels.length - 1) >> 1]
}

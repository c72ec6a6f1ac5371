import type { Random } from '../clock.ts'
import type { Endpoint } from './endpoint.ts'
import { levelOf } from './ewma.ts'
import { leastUntried, scanLimit } from './least.ts'
import type { PickContext, Strategy } from './strategy.ts'
import { TwoChoices } from './two-choices.ts'

/** What is assumed of a newcomer is not less, in milliseconds, or it would get everything. Source: Linkerd, 1 ms. */
const fastestAssumed = 1

/**
 * Nobody counts as slower than so many times the median. After at most 5 s × ln(30) = 17 s without a request it is as
 * cheap as the others again, whatever its last latency was, and one request shows how it is now.
 */
const slowest = Math.log(30)

/** How often latencies are compared with the median. Milliseconds. */
const reviewInterval = 1000

/** So many latencies are enough for a median. */
const sampleSize = 101

/**
 * The one where a request takes the least time: its latency, which rises at once and falls slowly, times the attempts
 * under way there, for its weight. Of all, or of two that are drawn if they are many.
 */
export class PeakEwma implements Strategy {
  readonly goesBy = 'load'
  readonly #random: Random
  readonly #choices: TwoChoices
  #endpoints: readonly Endpoint[] = []
  #reviewAt = 0

  constructor (random: Random) {
    this.#random = random
    this.#choices = new TwoChoices(random)
  }

  pick (endpoints: readonly Endpoint[], { tried, now }: PickContext): Endpoint | undefined {
    if (endpoints !== this.#endpoints || now >= this.#reviewAt) this.#review(endpoints, now)
    if (tried.length > 0) return leastUntried(endpoints, tried, ({ cost }) => cost, this.#random)
    return endpoints.length > scanLimit ? this.#lesserOfTwo(endpoints) : this.#least(endpoints)
  }

  /** The search begins anywhere: of several that are equal it is not always the same one. */
  #least (endpoints: readonly Endpoint[]): Endpoint | undefined {
    const { length } = endpoints
    const start = Math.floor(this.#random() * length)
    let best = endpoints[start]
    let least = Infinity
    for (let step = 0, index = start; step < length; step++, index++) {
      if (index === length) index = 0
      const endpoint = endpoints[index] as Endpoint
      const { cost } = endpoint
      if (cost < least) {
        least = cost
        best = endpoint
      }
    }
    return best
  }

  #lesserOfTwo (endpoints: readonly Endpoint[]): Endpoint | undefined {
    const one = this.#choices.first(endpoints)
    const other = this.#choices.second()
    return other.cost < one.cost ? other : one
  }

  /** Newcomers get the median of the others, which neither floods nor starves them; nobody is left far above it. */
  #review (endpoints: readonly Endpoint[], now: number): void {
    this.#endpoints = endpoints
    this.#reviewAt = now + reviewInterval
    const median = medianOf(endpoints)
    if (median === undefined) return
    const assumed = Math.max(median, levelOf(fastestAssumed, now))
    for (const endpoint of endpoints) {
      const level = endpoint.latencyLevel
      if (level === -Infinity) endpoint.assumeLatency(assumed, now)
      else if (level > assumed + slowest) endpoint.assumeLatency(assumed + slowest, now)
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

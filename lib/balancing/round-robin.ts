import type { Random } from '../clock.ts'
import { placesIn } from '../in-step.ts'
import type { Endpoint } from './endpoint.ts'
import { Schedule } from './schedule.ts'
import { isOpen, type PickContext, type Strategy } from './strategy.ts'
import { positiveWeights } from './weights.ts'

/**
 * In turn. With equal weights every endpoint gets exactly one of as many picks as there are; with others it gets its
 * share, evenly spread over time, whatever the weights: the one whose turn comes first is picked, and the heavier an
 * endpoint, the sooner its next turn (earliest deadline first).
 *
 * A list that changes leaves the others' turns where they were. Turns start at a random point, so that clients that
 * start together do not go together.
 */
export class RoundRobin implements Strategy {
  readonly goesBy = 'turn'
  readonly #random: Random
  #endpoints: readonly Endpoint[] = []
  #schedule = new Schedule(new Float64Array(), new Float64Array())

  constructor (random: Random) {
    this.#random = random
  }

  /** Who may not be picked lets its turn pass, or it would have many in a row when it may. */
  pick (endpoints: readonly Endpoint[], context: PickContext, mayPick = isOpen): Endpoint | undefined {
    if (endpoints !== this.#endpoints) this.#reschedule(endpoints)
    const next = endpoints[this.#schedule.next()] as Endpoint
    if (mayPick(next, context)) return next
    const other = this.#schedule.nextExcept(index => !mayPick(endpoints[index] as Endpoint, context))
    return other === undefined ? undefined : endpoints[other]
  }

  #reschedule (endpoints: readonly Endpoint[]): void {
    const placeOf = placesIn(this.#endpoints, Object.is, endpoint => endpoint)
    const places = endpoints.map(placeOf)
    const newcomers = this.#spread(endpoints.filter((_, index) => places[index] === undefined))
    const weights = positiveWeights(endpoints)
    const heaviest = weights.reduce((one, other) => Math.max(one, other))
    const intervals = weights.map(weight => heaviest / weight)
    const waitOf = (index: number): number => {
      const place = places[index]
      if (place !== undefined) return this.#schedule.waitOf(place)
      return newcomers.get(endpoints[index] as Endpoint) ?? 0
    }
    this.#schedule = new Schedule(intervals, intervals.map((interval, index) => interval * waitOf(index)))
    this.#endpoints = endpoints
  }

  /** First turns, as shares of the interval: those of one weight evenly apart, so that heavy ones fall in between. */
  #spread (newcomers: readonly Endpoint[]): ReadonlyMap<Endpoint, number> {
    const start = this.#random()
    const members = new Map<number, number>()
    for (const { weight } of newcomers) members.set(weight, (members.get(weight) ?? 0) + 1)
    const placed = new Map<number, number>()
    return new Map(newcomers.map(endpoint => {
      const place = placed.get(endpoint.weight) ?? 0
      placed.set(endpoint.weight, place + 1)
      return [endpoint, (place / (members.get(endpoint.weight) as number) + start) % 1]
    }))
  }
}

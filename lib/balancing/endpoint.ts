import type { ServiceInstance } from '../consul/instance.ts'
import { Ewma } from './ewma.ts'
import { effectiveWeight } from './weights.ts'

/**
 * What an attempt says of its instance. `neutral` says nothing: it was aborted, or the request, someone further down or
 * this process was at fault.
 */
export type Outcome = 'success' | 'failure' | 'neutral'

/**
 * A failure counts as a latency of so many milliseconds at the least, or an instance that fails fast would get all the
 * requests. Source: Linkerd's load biaser, 5 s.
 */
const penalty = 5000

/** Higher than any level that time can lead to: an instance of which nothing is known while it is being tried. */
const unknownCost = 1e9

/** An instance together with what the balancer knows of it. The same object as long as the instance is there. */
export class Endpoint {
  #instance: ServiceInstance
  #weight: number
  #outstanding = 0
  #load: number
  #cost = -Infinity
  readonly #latency = new Ewma()

  constructor (instance: ServiceInstance, warningShare: number) {
    this.#instance = instance
    this.#weight = effectiveWeight(instance, warningShare)
    this.#load = this.#loadOf()
  }

  /** The instance as it was last seen. */
  get instance (): ServiceInstance { return this.#instance }

  /** Its share of the calls, beside the weights of the others. From 0. */
  get weight (): number { return this.#weight }

  /** Attempts that were begun and have not ended. */
  get outstanding (): number { return this.#outstanding }

  /** How full it would be with one attempt more: those that are under way and that one, for its weight. */
  get load (): number { return this.#load }

  /** How long one attempt more would take: its latency times its load, on a scale that holds for all endpoints. */
  get cost (): number { return this.#cost }

  /** Its latency, to be compared with others'; -Infinity: nothing is known. */
  get latencyLevel (): number { return this.#latency.level }

  /** The same instance with another status, weight or description. */
  refresh (instance: ServiceInstance, warningShare: number): void {
    this.#instance = instance
    this.#weight = effectiveWeight(instance, warningShare)
    this.#weigh()
  }

  /** An attempt starts. */
  begin (): void {
    this.#outstanding++
    this.#weigh()
  }

  /**
   * The response headers have arrived, or the attempt has failed without: once for every `begin()`, before `end()`. A
   * response that breaks off later is a second record, a failure.
   *
   * @param startedAt the clock's time at `begin()`
   */
  record (outcome: Outcome, startedAt: number, now: number): void {
    const latency = now - startedAt
    if (outcome === 'success') this.#latency.add(latency, now)
    else if (outcome === 'failure') this.#latency.add(Math.max(latency, penalty), now)
    else this.#latency.addAtLeast(latency, now)
    this.#weigh()
  }

  /** The attempt is over, its response read to the end. Once for every `begin()`. */
  end (): void {
    this.#outstanding--
    this.#weigh()
  }

  /** Until more is known its latency is this. */
  assumeLatency (level: number, now: number): void {
    this.#latency.assume(level, now)
    this.#weigh()
  }

  #weigh (): void {
    this.#load = this.#loadOf()
    if (this.#latency.isKnown) this.#cost = this.#latency.level + Math.log(this.#load)
    else this.#cost = this.#outstanding === 0 ? -Infinity : unknownCost + this.#load
  }

  /** With weights that are all 0, all count the same. */
  #loadOf (): number {
    return (this.#outstanding + 1) / (this.#weight === 0 ? 1 : this.#weight)
  }
}

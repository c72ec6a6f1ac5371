import type { ServiceInstance } from '../consul/instance.ts'
import { Ewma } from './ewma.ts'
import type { Outcome, Timing } from './outcome.ts'
import type { Ejection, Failure, Outlier, Turn } from './outlier.ts'
import { Pace } from './pace.ts'
import { effectiveWeight } from './weights.ts'

/**
 * A failure counts as a latency of so many milliseconds at the least, or an instance that fails fast would get all the
 * requests. Source: Linkerd's load biaser, 5 s.
 */
const penalty = 5000

/** Higher than any level that time can lead to: an instance of which nothing is known while it is being tried. */
const unknownCost = 1e9

export interface EndpointParts {
  /** 0 to 1: the share of an instance in `warning` whose two weights are equal. */
  readonly warningShare: number
  /** Of the service. Default: one of its own. */
  readonly pace?: Pace
  /** Notices when the instance fails too much. */
  readonly outlier?: Outlier | undefined
  /** Told when it is ejected, and when it is back or leaves. */
  readonly onTurn?: ((endpoint: Endpoint, turn: Turn) => void) | undefined
}

/** An instance together with what the balancer knows of it. The same object as long as the instance is there. */
export class Endpoint {
  // These begin as what they will be, fractions: that spares a change of the objects' hidden class.
  #cost = -Infinity
  #load = 0.5
  #fill = 0.5
  #instance: ServiceInstance
  #weight: number
  #outstanding = 0
  readonly #latency = new Ewma()
  readonly #pace: Pace
  readonly #parts: EndpointParts
  #joinedAt: number | undefined
  #gone = false

  constructor (instance: ServiceInstance, parts: EndpointParts) {
    this.#instance = instance
    this.#parts = parts
    this.#pace = parts.pace ?? new Pace()
    this.#weight = effectiveWeight(instance, parts.warningShare)
    this.#weigh()
  }

  /** The instance as it was last seen. */
  get instance (): ServiceInstance { return this.#instance }

  /** Whether its instance has left: whoever keeps it must ask again, as there may be another one in its place. */
  get gone (): boolean { return this.#gone }

  /** Its share of the calls, beside the weights of the others. From 0. */
  get weight (): number { return this.#weight }

  /** Attempts that were begun and have not ended. */
  get outstanding (): number { return this.#outstanding }

  /** How full it is: attempts under way, for its weight. */
  get fill (): number { return this.#fill }

  /** How full it would be with one attempt more: those that are under way and that one, for its weight. */
  get load (): number { return this.#load }

  /** How long one attempt more would take: its latency times its load, on a scale that holds for all endpoints. */
  get cost (): number { return this.#cost }

  /** Its latency, to be compared with others'; -Infinity: nothing is known. */
  get latencyLevel (): number { return this.#latency.level }

  /** When that was last learnt, or assumed. The clock's time. */
  get latencyAt (): number { return this.#latency.updatedAt }

  /**
   * How long a proper response of its service takes, in milliseconds: an error that comes sooner counts as if it had
   * come then, or who answers only those would get more than its share. 0: there was none.
   */
  get usualLatency (): number { return Math.min(this.#pace.latency, penalty) }

  /** Set while it is ejected. */
  get ejection (): Ejection | undefined { return this.#parts.outlier?.ejection }

  /** When it came to others that were there already, or came back; `undefined`: it was not looked at yet. */
  get joinedAt (): number | undefined { return this.#joinedAt }

  /** -Infinity: it was there from the start. */
  join (at: number): void {
    this.#joinedAt = at
  }

  /** The same instance with another status, weight or description. That it is passing anew ends an ejection. */
  refresh (instance: ServiceInstance, now: number): void {
    const isFresh = instance.status === 'passing' && this.#instance.status !== 'passing'
    this.#instance = instance
    this.#weight = effectiveWeight(instance, this.#parts.warningShare)
    if (isFresh) this.#turn(this.#parts.outlier?.clear(now), now)
    this.#weigh()
  }

  /** Whether it is ejected, and an attempt may be made to find out how it is. */
  isDue (now: number): boolean {
    return this.#parts.outlier?.isDue(now) === true
  }

  /** That attempt is about to begin. */
  claim (now: number): void {
    this.#parts.outlier?.claim(now)
  }

  /** An attempt starts. */
  begin (): void {
    this.#parts.outlier?.begin()
    this.#outstanding++
    this.#weigh()
  }

  /**
   * The response headers have arrived, or the attempt has failed without: once for every `begin()`, before `end()`. A
   * response that breaks off later is a second record, a failure.
   *
   * @param startedAt the clock's time at `begin()`
   * @param latency how much of the time since then was the instance's
   * @param failure what it was, if it was one
   */
  record (
    outcome: Outcome, startedAt: number, now: number, latency = now - startedAt,
    timing: Timing = outcome === 'neutral' ? 'unfinished' : 'measured', failure?: Failure
  ): void {
    if (!this.#isInService(startedAt)) return
    if (outcome === 'failure') this.#latency.add(Math.max(latency, penalty), now)
    else if (timing === 'measured') this.#latency.add(latency, now)
    else if (timing === 'untypical') this.#latency.add(Math.max(latency, this.usualLatency), now)
    else this.#latency.addAtLeast(latency, now)
    if (outcome === 'success' && timing === 'measured') this.#pace.learn(latency)
    this.#turn(this.#parts.outlier?.record(outcome, startedAt, now, failure), now)
    this.#weigh()
  }

  /** An attempt that was recorded as a success at that time was none: a record of its failure follows. */
  takeBack (startedAt: number, recordedAt: number, now: number): void {
    if (this.#isInService(startedAt)) this.#parts.outlier?.takeBack(recordedAt, now)
  }

  /** The attempt is over, its response read to the end. Once for every `begin()`. */
  end (): void {
    this.#outstanding--
    this.#weigh()
  }

  /** Its instance has left. */
  leave (): void {
    this.#gone = true
    const turn = this.#parts.outlier?.leave()
    if (turn !== undefined) this.#parts.onTurn?.(this, turn)
  }

  /** Until more is known its latency is this. */
  assumeLatency (level: number, now: number): void {
    this.#latency.assume(level, now)
    this.#weigh()
  }

  /** What was begun before it came back says nothing of how it is now. */
  #isInService (startedAt: number): boolean {
    return startedAt >= (this.#parts.outlier?.inServiceSince ?? -Infinity)
  }

  /** Who comes back begins anew: it was slow, or failed, before. */
  #turn (turn: Turn | undefined, now: number): void {
    if (turn === undefined) return
    if (turn === 'returned') {
      this.#latency.forget()
      this.#joinedAt = now
    }
    this.#parts.onTurn?.(this, turn)
  }

  /** With weights that are all 0, all count the same. */
  #weigh (): void {
    const weight = this.#weight === 0 ? 1 : this.#weight
    this.#fill = this.#outstanding / weight
    this.#load = (this.#outstanding + 1) / weight
    if (this.#latency.isKnown) this.#cost = this.#latency.level + Math.log(this.#load)
    else this.#cost = this.#outstanding === 0 ? -Infinity : unknownCost + this.#load
  }
}

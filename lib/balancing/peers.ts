import { Pace } from './pace.ts'
import type { Recent } from './recent.ts'

/** What the instances of a service show each other of how their attempts went. */
export interface Peer {
  /** `undefined`: nothing was attempted. */
  readonly recent: Recent | undefined
  readonly ejection: object | undefined
}

/** An instance of which a larger share of the attempts fails is not well. 0 to 1. */
const calm = 0.01
/** How long what is worked out over all peers holds: there may be thousands. Milliseconds. */
const reviewInterval = 100
/** With fewer, every question is answered anew. */
const few = 100

/** The instances of a service in one datacenter: what is usual there, and how many may be left out. */
export class Peers<T extends Peer> {
  readonly #maxEjected: number
  readonly #members = new Set<T>()
  readonly pace = new Pace()
  #reviewAt = -Infinity
  /** Of how many that are in use something is known, and how many of those are well. */
  #known = 0
  #well = 0
  #successes = 0
  #failures = 0
  #ejected = 0

  /** @param maxEjected 0 to 1: the share that may be ejected */
  constructor (maxEjected: number) {
    this.#maxEjected = maxEjected
  }

  get size (): number { return this.#members.size }

  join (member: T): void {
    this.#members.add(member)
  }

  leave (member: T): void {
    if (this.#members.delete(member) && member.ejection !== undefined) this.#ejected--
  }

  /** Whether one more may be ejected: up to a share of them, and never the last. */
  get hasRoom (): boolean {
    const { size } = this.#members
    return this.#ejected < Math.min(Math.floor(size * this.#maxEjected), size - 1)
  }

  ejected (): void {
    this.#ejected++
  }

  returned (): void {
    this.#ejected--
  }

  /** Whether at least half of the others are well. With nothing known of them they are. */
  areOthersWell ({ recent }: T, now: number): boolean {
    this.#review(now)
    const known = this.#known - Number(isKnown(recent, now))
    const well = this.#well - Number(isWell(recent, now))
    return well >= known / 2
  }

  /** The success rate of all others that are in use. With nothing known of them it is 1. */
  successRateOfOthers ({ recent }: T, now: number): number {
    this.#review(now)
    const successes = this.#successes - (recent?.successes(now) ?? 0)
    const failures = this.#failures - (recent?.failures(now) ?? 0)
    return failures <= 0 ? 1 : Math.max(successes, 0) / (Math.max(successes, 0) + failures)
  }

  #review (now: number): void {
    if (now < this.#reviewAt) return
    this.#reviewAt = this.#members.size < few ? -Infinity : now + reviewInterval
    this.#known = this.#well = this.#successes = this.#failures = 0
    for (const { recent, ejection } of this.#members) {
      if (ejection !== undefined) continue
      this.#successes += recent?.successes(now) ?? 0
      this.#failures += recent?.failures(now) ?? 0
      this.#known += Number(isKnown(recent, now))
      this.#well += Number(isWell(recent, now))
    }
  }
}

function isKnown (recent: Recent | undefined, now: number): recent is Recent {
  return recent !== undefined && recent.successes(now) + recent.failures(now) > 0
}

function isWell (recent: Recent | undefined, now: number): boolean {
  if (!isKnown(recent, now)) return false
  const failures = recent.failures(now)
  return failures <= calm * (recent.successes(now) + failures)
}

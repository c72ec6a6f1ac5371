import type { Recent } from './recent.ts'

/** What the instances of a service show each other of how their attempts went. */
export interface Peer {
  /** `undefined`: nothing was attempted. */
  readonly recent: Recent | undefined
  readonly consecutiveFailures: number
  readonly ejection: object | undefined
}

/** An instance of which a larger share of the attempts fails is not well. 0 to 1. */
const tolerance = 0.1
/** How long what is worked out over all peers holds: there may be thousands. Milliseconds for each of them. */
const reviewPause = 0.01

/** The instances of a service in one datacenter: what is usual there, and how many may be left out. */
export class Peers<T extends Peer> {
  readonly #maxEjected: number
  readonly #members = new Set<T>()
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

  join (member: T): void {
    this.#members.add(member)
  }

  leave (member: T): void {
    if (this.#members.delete(member) && member.ejection !== undefined) this.#ejected--
  }

  /** Whether one more may be ejected: up to a share of them, and never the last. */
  get hasRoom (): boolean {
    return this.#ejected < mostEjected(this.#members.size, this.#maxEjected)
  }

  countEjection (): void {
    this.#ejected++
  }

  countReturn (): void {
    this.#ejected--
  }

  /** Whether at least half of the others are well. With nothing known of them they are. */
  areOthersWell (member: T, now: number): boolean {
    this.#review(now)
    const known = this.#known - Number(isKnown(member, now))
    const well = this.#well - Number(isWell(member, now))
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
    this.#reviewAt = now + this.#members.size * reviewPause
    this.#known = this.#well = this.#successes = this.#failures = 0
    for (const member of this.#members) {
      if (member.ejection !== undefined) continue
      this.#successes += member.recent?.successes(now) ?? 0
      this.#failures += member.recent?.failures(now) ?? 0
      this.#known += Number(isKnown(member, now))
      this.#well += Number(isWell(member, now))
    }
  }
}

/** How many of so many may be ejected: the share, or one if that is more, and never the last. A share of 0: none. */
export function mostEjected (size: number, share: number): number {
  return share === 0 ? 0 : Math.min(Math.max(Math.floor(size * share), 1), size - 1)
}

function isKnown ({ recent }: Peer, now: number): boolean {
  return recent !== undefined && !recent.isEmpty(now)
}

/** Where all begin to fail at once, each has failures in a row before it has many. */
function isWell (member: Peer, now: number): boolean {
  return isKnown(member, now) && member.consecutiveFailures === 0 &&
    member.recent?.failsLately(tolerance, now) === false
}

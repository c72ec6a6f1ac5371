import type { Random } from '../clock.ts'
import type { Outcome } from './outcome.ts'
import type { Peers } from './peers.ts'
import { Recent } from './recent.ts'

export interface OutlierOptions {
  /** So many failures in a row eject an instance, while at least half of the others are well. */
  readonly consecutiveFailures: number
  /** 0 to 1: so does a success rate under this share of the others', within 10 s and 10 attempts at least. */
  readonly successRate: number
  /** For how long, the first time. Twice that the next time, and so on. Milliseconds. */
  readonly ejectionTime: number
  /** The longest, before jitter. Milliseconds. */
  readonly maxEjectionTime: number
  /** 0 to 1: no more than this share of the instances is ejected, or one if that is more, and never all. 0: none. */
  readonly maxEjected: number
}

/** Why an instance gets no calls, and for how long. */
export interface Ejection {
  readonly reason: 'consecutive failures' | 'success rate'
  /** The clock's time. */
  readonly since: number
  /** From then on one attempt may find out how it is. The clock's time. */
  readonly until: number
  /** What came last: the status of a response, or the code of an error. Absent if that is not known. */
  readonly failure?: Failure
}

/** In a word, without anything that could be a secret. */
export type Failure = number | string

/** What has become of an instance. `left`: it was ejected when it left, or may not be called for another reason. */
export type Turn = 'ejected' | 'returned' | 'left'

/** Fewer attempts say nothing of a share, nor do those of a shorter time, which may have been a bad one. */
const fewest = 10
/** Milliseconds. */
const shortestCount = 1000
/** Where the others succeed less often than that, all fail, and who fails more does so by chance. 0 to 1. */
const leastUsual = 0.5
/** Failures in a row that take less time may be a queue that was full for a moment. Milliseconds. */
const shortestRun = 50
/** Ejections differ by this share, up or down, so that instances that fail together are not tried together. */
const jitter = 0.2
/** After each so many milliseconds in service the next ejection is half as long. Source: Envoy, one less every 10 s. */
const forgottenAfter = 10_000

/**
 * Whether an instance fails so much more than the others that it is left out for a while. Failures in a row show a
 * sudden end at once, the share of successes shows what fails half of the time. It is back with the first success of an
 * attempt that was begun meanwhile: when its time is over, one at a time is let through.
 *
 * Where all fail alike, as servers do that are asked for too much, nobody is left out: the others would have to do its
 * work too, and then fail more. Nor is anybody beyond the share that may be.
 */
export class Outlier {
  readonly #options: OutlierOptions
  readonly #random: Random
  /** Made with the first attempt: there may be thousands of instances. */
  #recent: Recent | undefined
  readonly #peers: Peers<Outlier>
  #consecutiveFailures = 0
  #failingSince = 0
  /** When the last success was counted, and how many failures in a row came before it. */
  #succeededAt = -Infinity
  #runBefore = 0
  /** When the first attempt ended since there was none in the window. */
  #countedSince = 0
  #ejection: Ejection | undefined
  /** Attempts under way that were begun since it was ejected. */
  #probesUnderWay = 0
  /** When the last of them that was to find out how it is was chosen. */
  #claimedAt = -Infinity
  /** The length of the next ejection, before jitter. */
  #nextTime: number
  /** Since when it is in service: when that was cleared, or the probe began that showed it. */
  #inServiceSince = -Infinity
  #gone = false

  /** @param peers the instances of the same service: it joins them */
  constructor (options: OutlierOptions, peers: Peers<Outlier>, random: Random) {
    this.#options = options
    this.#peers = peers
    this.#random = random
    this.#nextTime = options.ejectionTime
    peers.join(this)
  }

  get recent (): Recent | undefined { return this.#recent }

  /** Up to now. */
  get consecutiveFailures (): number { return this.#consecutiveFailures }

  /** Of attempts that were begun before nothing is learnt, neither how well it is nor how fast. */
  get inServiceSince (): number { return this.#inServiceSince }

  /** Set while it is ejected. */
  get ejection (): Ejection | undefined { return this.#ejection }

  /** Whether an attempt may be made to find out how it is. One that takes long is not waited for. */
  isDue (now: number): boolean {
    return this.#ejection !== undefined && now >= this.#ejection.until &&
      (this.#probesUnderWay === 0 || now >= this.#claimedAt + this.#options.ejectionTime)
  }

  /** Such an attempt is about to begin. If it does not, another one may. */
  claim (now: number): void {
    this.#claimedAt = now
  }

  begin (): void {
    if (this.#ejection !== undefined) this.#probesUnderWay++
  }

  record (outcome: Outcome, startedAt: number, now: number, failure?: Failure): Turn | undefined {
    if (this.#gone) return undefined
    if (this.#ejection !== undefined) return this.#recordProbe(this.#ejection, outcome, startedAt, now, failure)
    if (outcome === 'neutral') return undefined
    const recent = this.#count(outcome === 'success', now)
    if (outcome === 'success' || !this.#peers.hasRoom) return undefined
    const reason = this.#reasonToEject(recent, now)
    return reason && this.#eject(reason, now, failure)
  }

  /** An attempt that was recorded as a success at that time was none: a record of its failure follows. */
  takeBack (recordedAt: number, now: number): void {
    this.#recent?.takeBack(recordedAt, now)
    // It breaks no run of failures either, unless another one succeeded since.
    if (recordedAt !== this.#succeededAt) return
    this.#consecutiveFailures += this.#runBefore
    this.#runBefore = 0
  }

  /** There is reason to believe that it is well: if it is ejected, that ends, and what was before is forgotten. */
  clear (now: number): Turn | undefined {
    if (this.#ejection === undefined) return undefined
    this.#consecutiveFailures = 0
    this.#recent?.clear()
    this.#ejection = undefined
    this.#probesUnderWay = 0
    this.#inServiceSince = now
    this.#peers.countReturn()
    return 'returned'
  }

  /** Its instance has left: whatever becomes of its attempts, nobody learns from it. */
  leave (): Turn | undefined {
    if (this.#gone) return undefined
    this.#gone = true
    this.#peers.leave(this)
    return this.#ejection && 'left'
  }

  #reasonToEject (own: Recent, now: number): Ejection['reason'] | undefined {
    const { consecutiveFailures, successRate } = this.#options
    const isRun = this.#consecutiveFailures >= consecutiveFailures && now - this.#failingSince >= shortestRun
    if (isRun && this.#peers.areOthersWell(this, now)) return 'consecutive failures'
    const successes = own.successes(now)
    const attempts = successes + own.failures(now)
    if (attempts < fewest || now - this.#countedSince < shortestCount) return undefined
    const usual = this.#peers.successRateOfOthers(this, now)
    return usual >= leastUsual && successes < successRate * usual * attempts ? 'success rate' : undefined
  }

  #count (succeeded: boolean, now: number): Recent {
    const recent = this.#recent ??= new Recent()
    if (recent.isEmpty(now)) this.#countedSince = now
    recent.add(succeeded, now)
    if (succeeded) {
      this.#runBefore = this.#consecutiveFailures
      this.#succeededAt = now
      this.#consecutiveFailures = 0
    } else if (this.#consecutiveFailures++ === 0) {
      this.#failingSince = now
    }
    return recent
  }

  /** A probe has succeeded. If its response breaks off, the failures before it count again. */
  #return (startedAt: number, now: number): Turn | undefined {
    const failures = this.#consecutiveFailures
    const turn = this.clear(now)
    this.#inServiceSince = startedAt
    this.#count(true, now)
    this.#runBefore = failures
    return turn
  }

  /** Of attempts that were begun before the ejection nothing is learnt. */
  #recordProbe (
    ejection: Ejection, outcome: Outcome, startedAt: number, now: number, failure: Failure | undefined
  ): Turn | undefined {
    if (startedAt < ejection.since) return undefined
    this.#probesUnderWay = Math.max(this.#probesUnderWay - 1, 0)
    if (outcome === 'success') return this.#return(startedAt, now)
    return outcome === 'failure' && startedAt >= ejection.until
      ? this.#eject(ejection.reason, now, failure)
      : undefined
  }

  #eject (reason: Ejection['reason'], now: number, failure: Failure | undefined): Turn {
    const { ejectionTime, maxEjectionTime } = this.#options
    if (this.#ejection === undefined) {
      const forgotten = Math.floor((now - this.#inServiceSince) / forgottenAfter)
      this.#nextTime = Math.max(this.#nextTime / 2 ** forgotten, ejectionTime)
      this.#peers.countEjection()
    }
    const time = this.#nextTime * (1 + jitter * (2 * this.#random() - 1))
    this.#nextTime = Math.min(this.#nextTime * 2, maxEjectionTime)
    this.#probesUnderWay = 0
    this.#ejection = Object.freeze({
      reason, since: now, until: now + time, ...(failure !== undefined && { failure })
    })
    return 'ejected'
  }
}

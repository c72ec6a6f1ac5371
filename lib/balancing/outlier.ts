import type { Random } from '../clock.ts'
import type { Outcome } from './endpoint.ts'
import { Recent } from './recent.ts'

export interface OutlierOptions {
  /** So many failures in a row eject an instance, while hardly any of the others' attempts fail. */
  readonly consecutiveFailures: number
  /** 0 to 1: so does a success rate under this share of the others', within 10 s and 10 attempts at least. */
  readonly successRate: number
  /** For how long, the first time. Twice that the next time, and so on. Milliseconds. */
  readonly ejectionTime: number
  /** The longest, before jitter. Milliseconds. */
  readonly maxEjectionTime: number
}

/** Why an instance gets no calls, and for how long. */
export interface Ejection {
  readonly reason: 'consecutive failures' | 'success rate'
  /** The clock's time. */
  readonly since: number
  /** From then on one attempt may find out how it is. The clock's time. */
  readonly until: number
}

/** What an attempt changed. */
export type Turn = 'ejected' | 'returned'

/** Fewer attempts say nothing of a share, nor do those of a shorter time, which may have been a bad one. */
const fewest = 10
/** Milliseconds. */
const shortestCount = 1000
/** Failures in a row that take less time may be a queue that was full for a moment. Milliseconds. */
const shortestRun = 50
/** With a larger share of failures among the others, some in a row say nothing of the one. 0 to 1. */
const calm = 0.01
/** Ejections differ by this share, up or down, so that instances that fail together are not tried together. */
const jitter = 0.2
/** After each so many milliseconds in service one ejection is forgotten. Source: Envoy, one a sweep, every 10 s. */
const forgottenAfter = 10_000
/** For how long an attempt that was chosen to find out may take to begin. Milliseconds. */
const claimTime = 1000

/**
 * Whether an instance fails so much more than the others that it is left out for a while. Failures in a row show a
 * sudden end at once, the share of successes shows what fails half of the time. It is back with the first success of an
 * attempt that was begun meanwhile: when its time is over, one at a time is let through.
 *
 * Where all fail alike, as servers do that are asked for too much, nobody is left out: the others would have to do its
 * work too, and then fail more.
 */
export class Outlier {
  readonly #options: OutlierOptions
  readonly #random: Random
  /** Made with the first attempt: there may be thousands of instances. */
  #recent: Recent | undefined
  /** Of all instances of the service. */
  readonly #all: Recent
  /** Failures in a row. */
  #failures = 0
  #failingSince = 0
  /** When the first attempt that counts ended; `undefined`: none has. */
  #countedSince: number | undefined
  #ejection: Ejection | undefined
  /** Attempts under way that were begun since it was ejected. */
  #probes = 0
  #claimedUntil = 0
  /** How many ejections count towards the length of the next one. */
  #ejections = 0
  #returnedAt = 0

  /** @param all counts the attempts at all instances of the service */
  constructor (options: OutlierOptions, all: Recent, random: Random) {
    this.#options = options
    this.#all = all
    this.#random = random
  }

  /** Set while it is ejected. */
  get ejection (): Ejection | undefined { return this.#ejection }

  /** Whether an attempt may be made to find out how it is. */
  isDue (now: number): boolean {
    return this.#ejection !== undefined && now >= this.#ejection.until &&
      this.#probes === 0 && now >= this.#claimedUntil
  }

  /** Such an attempt is about to begin. */
  claim (now: number): void {
    this.#claimedUntil = now + claimTime
  }

  begin (): void {
    if (this.#ejection !== undefined) this.#probes++
  }

  record (outcome: Outcome, startedAt: number, now: number): Turn | undefined {
    if (this.#ejection !== undefined) return this.#recordProbe(this.#ejection, outcome, startedAt, now)
    if (outcome === 'neutral') return undefined
    const succeeded = outcome === 'success'
    this.#countedSince ??= now
    this.#recent ??= new Recent()
    this.#recent.add(succeeded, now)
    this.#all.add(succeeded, now)
    if (succeeded) this.#failures = 0
    else if (this.#failures++ === 0) this.#failingSince = now
    const reason = succeeded ? undefined : this.#reasonToEject(this.#recent, now)
    return reason && this.#eject(reason, now)
  }

  /** There is reason to believe that it is well: what was before is forgotten. */
  clear (now: number): Turn | undefined {
    this.#failures = 0
    this.#recent?.clear()
    this.#countedSince = undefined
    if (this.#ejection === undefined) return undefined
    this.#ejection = undefined
    this.#returnedAt = now
    return 'returned'
  }

  #reasonToEject (own: Recent, now: number): Ejection['reason'] | undefined {
    const { consecutiveFailures, successRate } = this.#options
    const others = successRateWithout(own, this.#all, now)
    const isRun = this.#failures >= consecutiveFailures && now - this.#failingSince >= shortestRun
    if (isRun && others >= 1 - calm) return 'consecutive failures'
    const successes = own.successes(now)
    const attempts = successes + own.failures(now)
    const isCounted = attempts >= fewest && now - (this.#countedSince ?? now) >= shortestCount
    return isCounted && successes < successRate * others * attempts ? 'success rate' : undefined
  }

  /** Of attempts that were begun before the ejection nothing is learnt. */
  #recordProbe (ejection: Ejection, outcome: Outcome, startedAt: number, now: number): Turn | undefined {
    if (startedAt < ejection.since) return undefined
    this.#probes = Math.max(this.#probes - 1, 0)
    this.#claimedUntil = now
    if (outcome === 'success') return this.clear(now)
    return outcome === 'failure' && startedAt >= ejection.until ? this.#eject(ejection.reason, now) : undefined
  }

  #eject (reason: Ejection['reason'], now: number): Turn {
    const { ejectionTime, maxEjectionTime } = this.#options
    if (this.#ejection === undefined) {
      this.#ejections = Math.max(this.#ejections - Math.floor((now - this.#returnedAt) / forgottenAfter), 0)
    }
    const time = Math.min(ejectionTime * 2 ** this.#ejections, maxEjectionTime)
    this.#ejections++
    this.#probes = 0
    this.#ejection = Object.freeze({ reason, since: now, until: now + time * (1 + jitter * (2 * this.#random() - 1)) })
    return 'ejected'
  }
}

/** The success rate of all others. With nothing known of them they are well. */
function successRateWithout (own: Recent, all: Recent, now: number): number {
  const successes = all.successes(now) - own.successes(now)
  const failures = all.failures(now) - own.failures(now)
  return failures === 0 ? 1 : successes / (successes + failures)
}

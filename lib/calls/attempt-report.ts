import type { Endpoint } from '../balancing/endpoint.ts'
import type { Outcome, Timing } from '../balancing/outcome.ts'
import type { Clock } from '../clock.ts'
import type { CallEvents } from './events.ts'
import { isBreak, isFaultOfCaller, isLostResponse, isOfNoInstance, isRefusal } from './retry.ts'
import type { Reuse } from './reuse.ts'
import { isPending } from './watch-body.ts'

export interface AttemptReportParts {
  readonly events: Pick<CallEvents, 'attempt'>
  readonly clock: Clock
}

/**
 * A connection that was used again and breaks within this time of sending had been closed before, and the news of it
 * was under way. Milliseconds: a round trip halfway around the world.
 */
const longestRoundTrip = 300

/**
 * What an attempt says of its instance: how it went, as far as the instance can help it, and how fast that was. The
 * time in which a body was still going out is not the instance's. That of connecting is, once the event loop has
 * turned, but it is no latency.
 */
export class AttemptReport {
  readonly #parts: AttemptReportParts
  readonly #endpoint: Endpoint
  readonly #startedAt: number
  readonly #body: unknown
  /** Since when it is the instance's turn: from the start, or from when a connection is being made to it. */
  #awaitedSince: number
  /** When the event loop turned for the first time while it was being made; Infinity: it did not, or it was there. */
  #connectingSince = Infinity
  #writtenAt = -Infinity
  #lastSentAt = -Infinity
  #allSent = false
  #stale = false
  #countsUntil = -Infinity
  /** What has been said, and when. */
  #said: Outcome | undefined
  #saidAt = 0
  /** What was said was of a response that has broken off. */
  #broken = false
  /** Nothing more will be said. */
  #closed = false

  constructor (parts: AttemptReportParts, endpoint: Endpoint, body: unknown, startedAt: number) {
    this.#parts = parts
    this.#endpoint = endpoint
    this.#body = body
    this.#startedAt = startedAt
    this.#awaitedSince = startedAt
  }

  /** When the last part of the body went out; -Infinity: none has. */
  get lastSentAt (): number { return this.#lastSentAt }

  /** Whether it failed for a connection that had been closed before. */
  get stale (): boolean { return this.#stale }

  /** The clock's time up to which it is load of the instance, even if it ends before; -Infinity: not longer. */
  get countsUntil (): number { return this.#countsUntil }

  /** A connection is being made, and the event loop has turned: a standstill before was no time of the instance's. */
  connecting (): void {
    if (this.#writtenAt === -Infinity) this.#connectingSince = this.#awaitedSince = this.#parts.clock.now()
  }

  /** It is connected, and the request is being written. */
  written (): void {
    this.#writtenAt = this.#parts.clock.now()
  }

  /** A part of the body has gone out. */
  sent (): void {
    this.#lastSentAt = this.#parts.clock.now()
  }

  /** All of the request has gone out. */
  allSent (): void {
    this.#allSent = true
  }

  /** @param reuse of its connection, if it was used before */
  answered (status: number, headers: readonly Buffer[], reuse: Reuse | undefined): void {
    reuse?.works()
    const now = this.#parts.clock.now()
    const since = this.#silentSince()
    const timing = isTypical(status) ? 'measured' : 'untypical'
    if (timing === 'untypical') this.#countsUntil = since + this.#endpoint.usualLatency
    this.#say(outcomeOf(status, headers), now, now - since, timing, status)
  }

  upgraded (status: number): void {
    const now = this.#parts.clock.now()
    this.#say('success', now, now - this.#silentSince(), 'measured', status)
  }

  /** It ends for a reason that is not the instance's. */
  abandoned (error: Error): void {
    const now = this.#parts.clock.now()
    this.#conclude('neutral', now, this.#silence(now), error)
  }

  /** A limit was reached: the instance's fault if it had at least half of those milliseconds to itself. */
  timedOut (error: Error, ms: number, isLate: boolean): void {
    const now = this.#parts.clock.now()
    if (isLate) return this.#conclude('neutral', now, 0, error)
    const silence = this.#silence(now)
    const isItsFault = !this.#isSourceAwaited() && silence + this.#connectTime() >= ms / 2
    this.#conclude(isItsFault ? 'failure' : 'neutral', now, silence, error)
  }

  /**
   * It has failed by itself. A response that breaks off was a success until then.
   *
   * @param reuse of its connection, if it was used before
   */
  failed (error: Error, reuse: Reuse | undefined): void {
    if (this.#closed) return
    const now = this.#parts.clock.now()
    if (this.#said === undefined) {
      this.#stale = reuse !== undefined && isBreak(error) && now - this.#writtenAt <= longestRoundTrip
      const isBlameless = (this.#stale && reuse?.breaks(this.#writtenAt, now) === false) || isFaultOfCaller(error)
      return this.#conclude(isBlameless ? 'neutral' : 'failure', now, this.#silence(now), error)
    }
    if (this.#said !== 'success' || !isLostResponse(error)) return
    this.#endpoint.takeBack(this.#startedAt, this.#saidAt, now)
    this.#said = undefined
    this.#broken = true
    this.#conclude('failure', now, this.#silence(now), error)
  }

  #conclude (outcome: Outcome, now: number, latency: number, error: Error): void {
    if (this.#closed) return
    this.#closed = true
    this.#say(outcome, now, latency, 'unfinished', undefined, error)
  }

  #say (
    outcome: Outcome, now: number, latency: number, timing: Timing, status: number | undefined, error?: Error
  ): void {
    if (this.#said !== undefined) return
    this.#said = outcome
    this.#saidAt = now
    const failure = outcome === 'failure' ? status ?? wordFor(error) : undefined
    this.#endpoint.record(outcome, this.#startedAt, now, latency, timing, failure)
    const { events } = this.#parts
    if (!events.attempt.hasSubscribers) return
    const { instance } = this.#endpoint
    const duration = now - this.#startedAt
    const broken = this.#broken
    events.attempt.publish({ service: instance.name, instance, outcome, duration, status, error, broken })
  }

  /** How long nothing but the instance has been waited for, so far. */
  #silence (now: number): number {
    return this.#isSourceAwaited() ? 0 : Math.max(now - this.#silentSince(), 0)
  }

  #silentSince (): number {
    return Math.max(this.#awaitedSince, this.#writtenAt, this.#lastSentAt)
  }

  /** As far as it is over. */
  #connectTime (): number {
    return Math.max(this.#writtenAt - this.#connectingSince, 0)
  }

  /** Whether the instance itself waits for what the source of the body has not given yet. */
  #isSourceAwaited (): boolean {
    return this.#writtenAt !== -Infinity && !this.#allSent && isPending(this.#body)
  }
}

/** Messages can hold anything; codes cannot. */
function wordFor (error: Error | undefined): string | undefined {
  return error !== undefined && 'code' in error ? String(error.code) : error?.name
}

/** Who is asked too often does well to say so. */
function outcomeOf (status: number, headers: readonly Buffer[]): Outcome {
  if (status === 429) return 'neutral'
  if (!isRefusal(status)) return 'success'
  return isOfNoInstance(headers) ? 'neutral' : 'failure'
}

/** Whether the response took what a response takes: nobody is the better for an error that comes fast. */
function isTypical (status: number): boolean {
  return status < 400
}

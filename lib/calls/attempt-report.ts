import type { Endpoint, Outcome, Timing } from '../balancing/endpoint.ts'
import type { Clock } from '../clock.ts'
import type { CallEvents } from './events.ts'
import { isBreak, isFaultOfHost, isFaultOfRequest, isOfNoInstance, isRefusal } from './retry.ts'

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
 * time before the request was written, and that of a body which was still going out, is not the instance's.
 */
export class AttemptReport {
  readonly #parts: AttemptReportParts
  readonly #endpoint: Endpoint
  readonly #startedAt: number
  #writtenAt = -Infinity
  #lastSentAt = -Infinity
  /** Whether it ends for a reason that is not the instance's. */
  #excused = false
  /** Whether the time that it took says nothing of the instance. */
  #untimed = false
  /** What has been said, and when. */
  #said: Outcome | undefined
  #saidAt = 0

  constructor (parts: AttemptReportParts, endpoint: Endpoint, startedAt: number) {
    this.#parts = parts
    this.#endpoint = endpoint
    this.#startedAt = startedAt
  }

  /** When the last part of the body went out; -Infinity: none has. */
  get lastSentAt (): number { return this.#lastSentAt }

  /** There is a connection, and the request is being written. */
  written (): void {
    this.#writtenAt = this.#parts.clock.now()
  }

  /** A part of the body has gone out. */
  sent (): void {
    this.#lastSentAt = this.#parts.clock.now()
  }

  /** Whether a break now means that the connection had been closed before. */
  isStale (error: Error): boolean {
    return isBreak(error) && this.#parts.clock.now() - this.#writtenAt <= longestRoundTrip
  }

  /** It ends for a reason that is not the instance's. `isInLine`: it was never given to the instance. */
  excuse (isInLine: boolean): void {
    this.#excused = true
    this.#untimed = isInLine
  }

  /** A limit was reached: the instance's fault if it had at least half of those milliseconds to itself. */
  timeOut (ms: number, isLate: boolean): void {
    this.#untimed = isLate
    this.#excused = isLate || this.#parts.clock.now() - this.#silentSince() < ms / 2
  }

  answered (status: number, headers: readonly Buffer[]): void {
    this.#say(outcomeOf(status, headers), isTypical(status) ? 'measured' : 'untypical', status)
  }

  upgraded (status: number): void {
    this.#say('success', 'measured', status)
  }

  /** A response that breaks off was a success until then. `stale`: the connection had been closed before. */
  failed (error: Error, stale: boolean): void {
    const isBlameless = this.#excused || stale || isFaultOfRequest(error) || isFaultOfHost(error)
    if (this.#said === 'success' && isBreak(error) && !isBlameless) {
      this.#endpoint.takeBack(this.#saidAt, this.#parts.clock.now())
      this.#said = undefined
    }
    this.#say(isBlameless ? 'neutral' : 'failure', 'unfinished', undefined, error)
  }

  #say (outcome: Outcome, timing: Timing, status: number | undefined, error?: Error): void {
    if (this.#said !== undefined) return
    const { clock, events } = this.#parts
    const now = clock.now()
    this.#said = outcome
    this.#saidAt = now
    this.#endpoint.record(outcome, this.#startedAt, now, this.#untimed ? 0 : now - this.#silentSince(), timing)
    if (!events.attempt.hasSubscribers) return
    const { instance } = this.#endpoint
    const duration = now - this.#startedAt
    events.attempt.publish({ service: instance.name, instance, outcome, duration, status, error })
  }

  /** Since when it is up to the instance. */
  #silentSince (): number {
    return Math.max(this.#startedAt, this.#writtenAt, this.#lastSentAt)
  }
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

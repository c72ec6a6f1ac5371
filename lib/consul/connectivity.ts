import { abortable } from '../abortable.ts'
import { Backoff } from '../backoff.ts'
import { Background } from '../background.ts'
import type { Clock, Random } from '../clock.ts'
import {
  ApiForbiddenError, ApiRateLimitedError, ApiTimeoutError, ApiUnreachableError, TokenError
} from '../errors.ts'
import type { Logger } from '../logger.ts'
import { OutageLog } from './outage-log.ts'

interface Parts {
  /** Asks the agent anything at all; rejects while it cannot be reached. */
  readonly probe: (signal: AbortSignal) => Promise<unknown>
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

/** After an outage all resume together; this spreads their first requests. Milliseconds. */
const spread = 200
/** With jitter and spread all that was lost is back within a second of the agent's return. Milliseconds. */
const slowest = 500
/** A connection that is lost sooner after a probe was answered is the same trouble going on. Milliseconds. */
const calmAfter = 1000

/** Whether an error says that the agent did not answer at all. */
export const isConnectionError = (error: unknown): boolean =>
  error instanceof ApiUnreachableError || error instanceof ApiTimeoutError

/** Whether it says that the agent does not want to answer: asking again soon is of no use. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof ApiForbiddenError || error instanceof ApiRateLimitedError

/** Whether the agent answers. One probe serves everyone who waits for it to come back. */
export class Connectivity {
  readonly #parts: Parts
  readonly #log: OutageLog
  /** Before each probe, and so before every try of those who wait for it. */
  readonly #pace: Backoff
  /** What ends the requests that wait. */
  readonly #held = new Set<AbortController>()
  readonly #ended = new AbortController()
  readonly #background = new Background()
  #probing: Promise<void> | undefined
  #answeredAt = -Infinity
  #lost = false
  #outages = 0

  constructor (parts: Parts) {
    this.#parts = parts
    this.#log = new OutageLog(parts.logger)
    this.#pace = new Backoff({ initial: 100, max: slowest, random: parts.random })
  }

  /** Connections may break, the probe's too: until a second probe has failed the agent counts as up. */
  get up (): boolean {
    return !this.#lost
  }

  /** How often it could not be reached until now. */
  get outages (): number {
    return this.#outages
  }

  /** To be told of every error of a request: a lost connection starts the probe. */
  report (error: unknown): void {
    if (!isConnectionError(error) || this.#probing !== undefined || this.#ended.signal.aborted) return
    if (this.#parts.clock.now() - this.#answeredAt >= calmAfter) this.#pace.reset()
    this.#probing = this.#background.run(() => this.#probeUntilAnswered(error)).catch(() => {})
  }

  /** Resolves when a probe was answered, at once if none is needed. Rejects with the signal's reason. */
  async restored (signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#probing === undefined) return
    await abortable(this.#probing, signal)
    await this.#parts.clock.sleep(this.#parts.random() * spread, signal)
  }

  /**
   * After a failed request: resolves when it is of use to ask again. Without a connection that is when a probe was
   * answered, and later each time if connections go on breaking all the same; else after `pause()` milliseconds.
   * Rejects with the signal's reason.
   */
  async recover (error: unknown, pause: () => number, signal: AbortSignal): Promise<void> {
    this.report(error)
    if (isConnectionError(error)) await this.restored(signal)
    else await this.#parts.clock.sleep(pause(), signal)
  }

  /**
   * Sends a request that may wait for long. An outage ends it: its connection may have died without a word, and would
   * still be waited on when the agent has long been back.
   */
  async hold<T> (send: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    const held = new AbortController()
    const abort = () => held.abort(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    this.#held.add(held)
    try {
      return await send(held.signal)
    } finally {
      this.#held.delete(held)
      signal.removeEventListener('abort', abort)
    }
  }

  close (): void {
    this.#ended.abort()
  }

  async #probeUntilAnswered (error: unknown): Promise<void> {
    const { clock } = this.#parts
    const lostAt = clock.now()
    let from = lostAt
    for (let failed = 0; ; failed++) {
      if (failed === 2) this.#lose(error)
      // From the last probe's beginning: one that took long has been a pause itself.
      await clock.sleep(Math.max(from + this.#pace.next() - clock.now(), 0), this.#ended.signal)
      from = clock.now()
      if (await this.#answers()) break
    }
    this.#probing = undefined
    this.#answeredAt = clock.now()
    if (!this.#lost) return
    this.#lost = false
    this.#log.over(this.#answeredAt - lostAt, this.#answeredAt)
  }

  #lose (cause: unknown): void {
    this.#lost = true
    this.#outages++
    const why = new ApiUnreachableError('a query that waits', 'the agent does not answer others either', { cause })
    for (const held of this.#held) held.abort(why)
    this.#log.begun(cause, this.#parts.clock.now())
  }

  async #answers (): Promise<boolean> {
    const { signal } = this.#ended
    try {
      await this.#parts.probe(signal)
      return true
    } catch (error) {
      signal.throwIfAborted()
      // Without a token nothing was asked.
      return !isConnectionError(error) && !(error instanceof TokenError)
    }
  }
}

import { abortable } from '../abortable.ts'
import { Backoff } from '../backoff.ts'
import type { Clock, Random } from '../clock.ts'
import {
  ApiForbiddenError, ApiRateLimitedError, ApiTimeoutError, ApiUnreachableError, TokenError
} from '../errors.ts'
import type { Logger } from '../logger.ts'

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

/** Whether an error says that the agent did not answer at all. */
export const isConnectionError = (error: unknown): boolean =>
  error instanceof ApiUnreachableError || error instanceof ApiTimeoutError

/** Whether it says that the agent does not want to answer: asking again soon is of no use. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof ApiForbiddenError || error instanceof ApiRateLimitedError

/** Whether the agent answers. One probe serves everyone who waits for it to come back. */
export class Connectivity {
  readonly #parts: Parts
  readonly #ended = new AbortController()
  #probing: Promise<void> | undefined
  #lost = false
  #outages = 0

  constructor (parts: Parts) {
    this.#parts = parts
  }

  /** A single connection may break: until the first probe has failed too the agent counts as up. */
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
    this.#probing = this.#probeUntilAnswered(error).catch(() => {})
  }

  /** Resolves when a probe was answered, at once if none is needed. Rejects with the signal's reason. */
  async restored (signal: AbortSignal): Promise<void> {
    if (this.#probing === undefined) return
    await abortable(this.#probing, signal)
    await this.#parts.clock.sleep(this.#parts.random() * spread, signal)
  }

  /**
   * After a failed request: resolves when it is of use to ask again. Without a connection that is when a probe was
   * answered, else after `pause()` milliseconds. Rejects with the signal's reason.
   */
  async recover (error: unknown, pause: () => number, signal: AbortSignal): Promise<void> {
    this.report(error)
    if (isConnectionError(error)) await this.restored(signal)
    else await this.#parts.clock.sleep(pause(), signal)
  }

  close (): void {
    this.#ended.abort()
  }

  /** A connection that broke while the agent goes on answering is no outage, and no line in the log. */
  async #probeUntilAnswered (err: unknown): Promise<void> {
    const { logger, clock, random } = this.#parts
    const backoff = new Backoff({ initial: 100, max: slowest, random })
    const since = clock.now()
    await clock.sleep(backoff.next(), this.#ended.signal)
    this.#lost = !await this.#answers()
    const isOutage = this.#lost
    if (isOutage) {
      this.#outages++
      logger.warn({ err }, 'Consul cannot be reached; what is known of it is kept')
      do await clock.sleep(backoff.next(), this.#ended.signal)
      while (!await this.#answers())
    }
    this.#probing = undefined
    this.#lost = false
    if (isOutage) logger.info({ outage: Math.round(clock.now() - since) }, 'Consul answers again')
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

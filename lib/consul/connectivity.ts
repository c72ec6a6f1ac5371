import { abortable } from '../abortable.ts'
import { Backoff } from '../backoff.ts'
import type { Clock, Random } from '../clock.ts'
import { ApiTimeoutError, ApiUnreachableError } from '../errors.ts'
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

/** Says of an error whether it means that the agent cannot be reached at all. */
export const isConnectionError = (error: unknown): boolean =>
  error instanceof ApiUnreachableError || error instanceof ApiTimeoutError

/** Whether the agent answers. One probe serves everyone who waits for it to come back. */
export class Connectivity {
  readonly #parts: Parts
  readonly #ended = new AbortController()
  #outage: Promise<void> | undefined

  constructor (parts: Parts) {
    this.#parts = parts
  }

  get up (): boolean {
    return this.#outage === undefined
  }

  /** To be told of every error of a request: a lost connection starts the probe. */
  report (error: unknown): void {
    if (!isConnectionError(error) || this.#outage !== undefined || this.#ended.signal.aborted) return
    this.#parts.logger.warn({ err: error }, 'Consul cannot be reached; what is known of it is kept')
    this.#outage = this.#probeUntilAnswered().catch(() => {})
  }

  /** Resolves when the agent answers again, at once if it does now. Rejects with the signal's reason. */
  async restored (signal: AbortSignal): Promise<void> {
    if (this.#outage === undefined) return
    await abortable(this.#outage, signal)
    await this.#parts.clock.sleep(this.#parts.random() * spread, signal)
  }

  close (): void {
    this.#ended.abort()
  }

  async #probeUntilAnswered (): Promise<void> {
    const { probe, logger, clock, random } = this.#parts
    const backoff = new Backoff({ initial: 100, max: 1000, random })
    const { signal } = this.#ended
    const since = clock.now()
    for (;;) {
      await clock.sleep(backoff.next(), signal)
      try {
        await probe(signal)
        break
      } catch (error) {
        if (signal.aborted || !isConnectionError(error)) break
      }
    }
    this.#outage = undefined
    if (!signal.aborted) logger.info({ outage: Math.round(clock.now() - since) }, 'Consul answers again')
  }
}

import { BusyError } from '../errors.ts'
import type { AttemptLimits } from './attempt.ts'
import type { Expiring, Limit, Limits } from './limits.ts'
import type { Lines, Waiting } from './lines.ts'

export interface WaitParts {
  readonly lines: Lines
  readonly limits: Limits
}

/** Whoever waits; told if that takes too long. */
export interface WaitOwner extends Waiting {
  waitedInVain (error: Error): void
}

/** The time that a call stands in the line of its service. */
export class Wait implements Expiring {
  readonly #lines: Lines
  readonly #service: string
  readonly #owner: WaitOwner
  readonly #limits: AttemptLimits
  readonly #limit: Limit | undefined

  /**
   * @param attemptLimits it may take as long as an attempt
   * @throws FST_CONSUL_BUSY if too many wait already
   */
  constructor (
    { lines, limits }: WaitParts, service: string, owner: WaitOwner, attemptLimits: AttemptLimits, now: number
  ) {
    if (!lines.join(service, owner)) throw new BusyError(service, 'too many calls wait already')
    this.#lines = lines
    this.#service = service
    this.#owner = owner
    this.#limits = attemptLimits
    this.#limit = limits.start(attemptLimits.timeout, this, now)
  }

  end (): void {
    this.#lines.leave(this.#service, this.#owner)
    this.#limit?.stop()
  }

  expire (): void {
    if (this.#owner.goOn()) return
    const { timeout, timeoutOption } = this.#limits
    this.#owner.waitedInVain(new BusyError(this.#service, `none was free within ${timeout} ms (${timeoutOption})`))
  }
}

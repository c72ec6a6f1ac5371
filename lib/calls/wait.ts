import { BusyError } from '../errors.ts'
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
  readonly #timeout: number
  readonly #limit: Limit | undefined

  /**
   * @param timeout milliseconds; 0: none
   * @throws FST_CONSUL_BUSY if too many wait already
   */
  constructor ({ lines, limits }: WaitParts, service: string, owner: WaitOwner, timeout: number, now: number) {
    if (!lines.join(service, owner)) throw new BusyError(service, 'too many calls wait already')
    this.#lines = lines
    this.#service = service
    this.#owner = owner
    this.#timeout = timeout
    this.#limit = limits.start(timeout, this, now)
  }

  end (): void {
    this.#lines.leave(this.#service, this.#owner)
    this.#limit?.stop()
  }

  expire (): void {
    if (!this.#owner.goOn()) {
      this.#owner.waitedInVain(new BusyError(this.#service, `none was free within ${this.#timeout} ms (calls.timeout)`))
    }
  }
}

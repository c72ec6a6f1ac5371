import type { Endpoint } from '../balancing/endpoint.ts'
import { BusyError } from '../errors.ts'
import type { AttemptLimits } from './attempt.ts'
import type { Expiring, Limit, Limits } from './limits.ts'
import type { Going, Waiting } from './line.ts'
import type { Lines } from './lines.ts'

export interface WaitParts {
  readonly lines: Lines
  readonly limits: Limits
}

/** Whoever waits. */
export interface WaitOwner {
  /** There may be room. */
  goOn (): Going
  waitedInVain (error: Error): void
}

/** Where it wants to go. */
export interface Destination extends Pick<Waiting, 'group' | 'isParticular'> {
  readonly service: string
  /** No connection can be made to there under that origin. Says whether nobody else is left. */
  passOver (endpoint: Endpoint, origin: string, error: Error): boolean
}

/** The time that a call stands in line for a service. */
export class Wait implements Waiting, Expiring {
  readonly #parts: WaitParts
  readonly #owner: WaitOwner
  readonly #destination: Destination
  readonly #limits: AttemptLimits
  #limit: Limit | undefined

  /** @param limits it may take as long as an attempt */
  constructor (parts: WaitParts, owner: WaitOwner, destination: Destination, limits: AttemptLimits) {
    this.#parts = parts
    this.#owner = owner
    this.#destination = destination
    this.#limits = limits
  }

  get group (): object { return this.#destination.group }

  get isParticular (): boolean { return this.#destination.isParticular }

  /** @param now the clock's time */
  start (now: number): void {
    const { lines, limits } = this.#parts
    const { service } = this.#destination
    if (lines.join(service, this)) this.#limit = limits.start(this.#limits.timeout, this, now)
    else this.#owner.waitedInVain(new BusyError(service, 'too many calls wait already'))
  }

  end (): void {
    this.#parts.lines.leave(this.#destination.service, this)
    this.#limit?.stop()
  }

  goOn (): Going {
    return this.#owner.goOn()
  }

  passOver (endpoint: Endpoint, origin: string, error: Error): void {
    if (this.#destination.passOver(endpoint, origin, error)) this.#owner.goOn()
  }

  expire (): void {
    if (this.#owner.goOn() !== 'waits') return
    const { timeout, timeoutOption } = this.#limits
    const text = `none was free within ${timeout} ms (${timeoutOption})`
    this.#owner.waitedInVain(new BusyError(this.#destination.service, text))
  }
}

import { ConflictError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { checkTargetOf } from './definition.ts'
import { placeOf } from './drift.ts'
import type { Registered } from './registrar.ts'
import type { RegistrationState, RegistrationStatus } from './registration-status.ts'

/** Where a registration stands, and one line for each change of that. */
export class Standing {
  readonly #logger: Logger
  #status: RegistrationStatus = Object.freeze({ state: 'none', id: undefined, since: new Date(), error: undefined })
  #isTold = false
  /** What has failed since the last success, by the errors' codes: answers may change at every try. */
  readonly #failures = new Set<string>()
  /** Why the TTL check could not be told last. */
  #refusal: Error | undefined

  constructor (logger: Logger) {
    this.#logger = logger
  }

  get status (): RegistrationStatus {
    return this.#status
  }

  /** Whether another process has the id, and nothing is to be written. */
  get inConflict (): boolean {
    return this.#status.state === 'conflict'
  }

  begin (id: string): void {
    this.#set({ state: 'registering', id, since: new Date(), error: undefined })
  }

  /** The agent took a write: news if it is the first, or comes after failures. */
  written (registered: Registered): void {
    const { service: { name: service }, listener: { port }, published: { address }, id, status } = registered
    const check = checkTargetOf(registered)
    const isNews = !this.#isTold || this.#status.error !== undefined
    this.#isTold = true
    this.#failures.clear()
    if (isNews) this.#logger.info({ service, id, address, port, status, check }, 'Registered with Consul')
    this.enter(this.#status.state)
  }

  /** A write failed. */
  failed (err: Error & { code?: string }): void {
    const { id, state } = this.#status
    const { code = err.name } = err
    this.enter(state, err)
    if (this.#failures.has(code)) return
    this.#failures.add(code)
    this.#logger.warn({ id, err }, 'The registration could not be written; it is tried again')
  }

  /** The reports of a TTL check are refused, or without an error taken. */
  refused (err: Error | undefined): void {
    const { id, state, error } = this.#status
    const before = this.#refusal
    this.#refusal = err
    if (error !== err && (error === undefined || error === before)) this.enter(state, err)
    if (err === undefined || before !== undefined) return
    this.#logger.warn({ id, err }, 'Consul does not take the status of the TTL check; it is told again')
  }

  /** The catalog shows it. */
  shown (): void {
    const { state, id } = this.#status
    if (state === 'unconfirmed') this.#logger.info({ id }, 'The catalog shows the registration')
    if (state !== 'registered') this.enter('registered')
  }

  /** The catalog does not show it; without a reason it may only not show it to this token. */
  hidden (err: Error | undefined): void {
    const { id, state, error: before } = this.#status
    this.enter('unconfirmed', err)
    if (state === 'unconfirmed' && before?.message === err?.message) return
    const message = 'The agent took the registration, but the catalog does not show it'
    if (err === undefined) this.#logger.warn({ id }, `${message}: the token may lack node:read`)
    else this.#logger.warn({ id, err }, message)
  }

  lost (reason: string): void {
    this.#logger.warn({ id: this.#status.id, reason }, 'The registration was lost and is written again')
    this.enter('registering')
  }

  /** Someone else has the id, at another place. */
  contested ({ definition }: Registered, other: string): void {
    const id = this.#status.id!
    const { address: Address = '', port: Port = 0 } = definition
    const err = new ConflictError(id, placeOf({ Address, Port }), other)
    this.enter('conflict', err)
    this.#logger.error({ id, err }, `${err.message}. Nothing is written any more until the other one has gone`)
  }

  enter (state: RegistrationState, error?: Error): void {
    const since = state === this.#status.state ? this.#status.since : new Date()
    this.#set({ ...this.#status, state, since, error })
  }

  #set (status: RegistrationStatus): void {
    this.#status = Object.freeze(status)
  }
}

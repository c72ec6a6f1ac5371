import { abortable } from '../abortable.ts'
import { Backoff } from '../backoff.ts'
import type { Clock, Random } from '../clock.ts'
import type { ConsulClient } from '../consul/client.ts'
import { isConnectionError, type Connectivity } from '../consul/connectivity.ts'
import type { CheckStatus, WireHealthEntry } from '../consul/wire.ts'
import type { Logger } from '../logger.ts'
import { TokenBucket } from '../token-bucket.ts'
import { checkTargetOf } from './definition.ts'
import { Enrolment, type Enrolled, type RegistrationPlan } from './enrolment.ts'
import { keep, pushRecovery } from './keep.ts'

export type RegistrationState =
  'none' | 'registering' | 'registered' | 'unconfirmed' | 'conflict' | 'draining' | 'stopped'

/** Where a registration stands. */
export interface RegistrationStatus {
  /**
   * `registered`: seen in the catalog. `unconfirmed`: the agent took it, but the catalog did not show it within 3 s,
   * or not to this token.
   */
  readonly state: RegistrationState
  readonly id: string | undefined
  /** When this state began. */
  readonly since: Date
  /** Why the last try failed; `undefined` after a success. */
  readonly error: Error | undefined
}

/** The service's own checks, in Consul's words. */
export interface Readiness {
  readonly status: CheckStatus
  readonly output: string
}

export interface RegistrationParts {
  readonly client: ConsulClient
  readonly connectivity: Connectivity
  readonly readiness: () => Promise<Readiness>
  /** Tells what the catalog lists under a name, now and after each change, until the returned function is called. */
  readonly follow: (name: string, listener: (entries: readonly WireHealthEntry[]) => void) => () => void
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

/** How long the catalog may take to show what the agent took. Milliseconds. */
const confirmWithin = 3000

/** One service at one agent, from the first try to register it until it is withdrawn. */
export class Registration {
  readonly #parts: RegistrationParts
  readonly #corrections: TokenBucket
  readonly #ended = new AbortController()
  #status: RegistrationStatus = Object.freeze({ state: 'none', id: undefined, since: new Date(), error: undefined })
  #enrolment: Enrolment | undefined
  #enrolled: Enrolled | undefined
  /** The write under way, or the last one. It is never aborted: it would land at the agent all the same. */
  #writing: Promise<Enrolled> | undefined
  /** Whether the catalog showed this service in its last answer. */
  #listed = false
  #recovering = false
  #onUnlisted = () => {}
  #stopFollowing = () => {}
  #cancelConfirmation = () => {}

  constructor (parts: RegistrationParts) {
    this.#parts = parts
    this.#corrections = new TokenBucket({ burst: 3, interval: 10_000 }, parts.clock)
  }

  get status (): RegistrationStatus {
    return this.#status
  }

  /** Registers, and keeps it so, in the background. Settles with the first try; a failed one is tried again. */
  async start (plan: RegistrationPlan): Promise<void> {
    if (this.#status.state !== 'none') return
    this.#enrolment = new Enrolment(this.#parts.client, this.#parts.logger, plan)
    this.#enter('registering', { id: plan.id })
    this.#stopFollowing = this.#parts.follow(plan.service.name, entries => this.#compare(entries))
    try {
      await this.#enrol()
    } catch (error) {
      this.#tryAgain().then(() => this.#keep(plan), () => {})
      throw error
    }
    this.#keep(plan)
  }

  /** Nothing begins any more; what has begun is taken back by `withdraw()`. */
  stop (): void {
    this.#ended.abort()
    this.#cancelConfirmation()
  }

  /**
   * Takes the service out of Consul and waits until the catalog shows it no longer.
   *
   * @param limit ends the waiting
   * @returns whether there was anything to take back
   */
  async withdraw (limit: AbortSignal): Promise<boolean> {
    this.stop()
    if (this.#writing === undefined) return false
    this.#enter('draining')
    const { client, logger, connectivity } = this.#parts
    const { id } = this.#status
    try {
      await abortable(this.#writing.catch(() => {}), limit).catch(() => {})
      await client.deregisterService(id!, { signal: limit })
      if (this.#listed && connectivity.up) await abortable(this.#unlisted(), limit)
      logger.info({ id }, 'Deregistered from Consul')
    } catch (error) {
      logger.warn({ id, err: error }, limit.aborted
        ? 'The removal from Consul was not seen within drain.timeout'
        : 'Not deregistered: Consul removes the service after its check was critical for check.deregisterAfter')
    }
    return true
  }

  /** The end, after the server has closed. */
  close (): void {
    this.stop()
    this.#stopFollowing()
    if (this.#status.state !== 'none') this.#enter('stopped')
  }

  async #tryAgain (): Promise<void> {
    const { connectivity, clock, random } = this.#parts
    const { signal } = this.#ended
    const backoff = new Backoff({ initial: 500, max: 10_000, random })
    for (;;) {
      if (isConnectionError(this.#status.error)) await connectivity.restored(signal)
      else await clock.sleep(backoff.next(), signal)
      try {
        return await this.#enrol()
      } catch {
        signal.throwIfAborted()
      }
    }
  }

  /** Writes the registration with the present result of the own checks. */
  async #enrol (): Promise<void> {
    const { status } = await this.#parts.readiness()
    this.#ended.signal.throwIfAborted()
    const again = this.#enrolled !== undefined
    try {
      this.#writing = this.#afterLastWrite(() => this.#enrolment!.enrol(status))
      this.#enrolled = await this.#writing
    } catch (error) {
      this.#failed(error as Error)
      throw error
    }
    const { service: { name: service }, listener: { port }, published: { address }, id } = this.#enrolled
    this.#parts.logger[again ? 'debug' : 'info'](
      { service, id, address, port, status, check: checkTargetOf(this.#enrolled) }, 'Registered with Consul')
    this.#awaitConfirmation()
    this.#pushRecovery().catch(() => {})
  }

  /** One write after the other: each must see the check id that the one before has left. */
  async #afterLastWrite (write: () => Promise<Enrolled>): Promise<Enrolled> {
    await this.#writing?.catch(() => {})
    return await write()
  }

  #failed (error: Error): void {
    this.#parts.connectivity.report(error)
    const before = this.#status.error
    if (this.#ended.signal.aborted) return
    this.#enter(this.#status.state, { error })
    if (before?.message === error.message) return
    this.#parts.logger.warn({ id: this.#status.id, err: error }, 'Not registered with Consul; it is tried again')
  }

  #keep (plan: RegistrationPlan): void {
    keep({
      ...this.#parts,
      plan,
      enrolled: () => this.#enrolled!,
      correct: reason => this.#correct(reason)
    }, this.#ended.signal)
  }

  async #pushRecovery (): Promise<void> {
    if (this.#recovering) return
    this.#recovering = true
    const enrolled = () => this.#enrolled!
    const improve = () => this.#enrol()
    try {
      await pushRecovery({ ...this.#parts, enrolled, improve }, this.#ended.signal)
    } finally {
      this.#recovering = false
    }
  }

  /** Writes again what was lost, but not without end: someone may be taking it away again and again. */
  async #correct (reason: string): Promise<void> {
    const { logger } = this.#parts
    try {
      await this.#corrections.take(this.#ended.signal)
      logger.warn({ id: this.#status.id, reason }, 'The registration was lost and is written again')
      this.#enter('registering')
      await this.#enrol()
    } catch {
      // Told by #failed; the signals that led here go on.
    }
  }

  /** Holds what the catalog lists against what was registered. */
  #compare (entries: readonly WireHealthEntry[]): void {
    const { id, state } = this.#status
    const own = entries.find(({ Service: service }) => service.ID === id)
    const wasListed = this.#listed
    this.#listed = own !== undefined
    if (own === undefined) {
      this.#onUnlisted()
      if (wasListed && state === 'registered') this.#correct('the catalog does not list it')
      return
    }
    if (this.#enrolled === undefined || (state !== 'registering' && state !== 'unconfirmed')) return
    this.#cancelConfirmation()
    this.#enter('registered', { error: undefined })
  }

  #awaitConfirmation (): void {
    if (this.#listed) return this.#enter('registered', { error: undefined })
    this.#cancelConfirmation()
    this.#cancelConfirmation = this.#parts.clock.after(confirmWithin, () => {
      this.#enter('unconfirmed', { error: undefined })
      this.#parts.logger.warn({ id: this.#status.id },
        'The agent took the registration, but the catalog does not show it: the token may lack node:read')
    })
  }

  #unlisted (): Promise<void> {
    return new Promise(resolve => { this.#onUnlisted = resolve })
  }

  #enter (state: RegistrationState, change: Partial<RegistrationStatus> = {}): void {
    const since = state === this.#status.state ? this.#status.since : new Date()
    this.#status = Object.freeze({ ...this.#status, state, since, ...change })
  }
}

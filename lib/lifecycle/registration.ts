import { abortable } from '../abortable.ts'
import type { Clock, Random } from '../clock.ts'
import type { ConsulClient } from '../consul/client.ts'
import type { Connectivity } from '../consul/connectivity.ts'
import type { WireHealthEntry } from '../consul/wire.ts'
import type { Logger } from '../logger.ts'
import { TokenBucket } from '../token-bucket.ts'
import { Contradiction } from './contradiction.ts'
import { checkTargetOf } from './definition.ts'
import { beat, pushRecovery, watchAgent } from './keep.ts'
import { limitOf } from './limit.ts'
import { Listing } from './listing.ts'
import type { Readiness } from './readiness.ts'
import { Registrar, type Registered, type RegistrationPlan } from './registrar.ts'
import type { RegistrationState, RegistrationStatus } from './registration-status.ts'
import { retry } from './retry.ts'

export interface RegistrationParts {
  readonly client: ConsulClient
  readonly connectivity: Connectivity
  readonly readiness: () => Promise<Readiness>
  /** Tells what the catalog lists under a name, now and after each change, until the returned function is called. */
  readonly follow: (name: string, listener: (entries: readonly WireHealthEntry[]) => void) => () => void
  /** Calls the listener when requests carry another token than before, until the returned function is called. */
  readonly onTokenChange: (listener: () => void) => () => void
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

/** One service at one agent, from the first try to register it until it is withdrawn. */
export class Registration {
  readonly #parts: RegistrationParts
  readonly #corrections: TokenBucket
  readonly #contradiction: Contradiction
  readonly #listing: Listing
  readonly #ended = new AbortController()
  #status: RegistrationStatus = Object.freeze({ state: 'none', id: undefined, since: new Date(), error: undefined })
  #registrar: Registrar | undefined
  #withdrawn: Promise<boolean> | undefined
  #correcting = false
  #recovering = false
  #stopFollowing = () => {}

  constructor (parts: RegistrationParts) {
    this.#parts = parts
    this.#corrections = new TokenBucket({ burst: 3, interval: 10_000 }, parts.clock)
    this.#contradiction = new Contradiction(parts)
    this.#listing = new Listing({
      clock: parts.clock,
      onShown: () => this.#confirm(),
      onLost: () => this.#correct('the catalog does not list it'),
      onMissing: () => this.#miss()
    })
  }

  get status (): RegistrationStatus {
    return this.#status
  }

  /** Whether it can begin nothing any more: to register again takes another one. */
  get ended (): boolean {
    return this.#ended.signal.aborted
  }

  /** Registers, and keeps it so, in the background. Settles with the first try; a failed one is tried again. */
  async start (plan: RegistrationPlan): Promise<void> {
    if (this.ended || this.#status.state !== 'none') return
    this.#registrar = new Registrar(this.#parts.client, this.#parts.logger, plan)
    this.#status = Object.freeze({ ...this.#status, state: 'registering', id: plan.id, since: new Date() })
    this.#stopFollowing = this.#parts.follow(plan.service.name, entries => this.#look(entries))
    try {
      await this.#write()
    } catch (error) {
      this.#retry(error).then(() => this.#keep(), () => {})
      throw error
    }
    this.#keep()
  }

  /** Nothing begins any more; what has begun is taken back by `withdraw()`. */
  stop (): void {
    this.#ended.abort()
    this.#listing.stop()
    this.#contradiction.stop()
  }

  /**
   * Takes the service out of Consul and waits until the catalog shows it no longer.
   *
   * @param within milliseconds; then the waiting ends
   * @returns whether there was anything to take out
   */
  async withdraw (within: number): Promise<boolean> {
    this.stop()
    const { state } = this.#status
    if (state === 'none' || state === 'stopped') return false
    this.#withdrawn ??= this.#withdraw(within)
    return await this.#withdrawn
  }

  /** The end, after the server has closed. */
  close (): void {
    this.stop()
    this.#stopFollowing()
    if (this.#status.state !== 'none') this.#enter('stopped')
  }

  async #withdraw (within: number): Promise<boolean> {
    this.#enter('draining')
    const { clock, connectivity, logger } = this.#parts
    const { id } = this.#status
    const limit = limitOf(within, 'drain.timeout has passed', clock)
    try {
      await this.#settled(within / 2)
      if (!this.#registrar!.hasWritten) return false
      await this.#registrar!.deregister(limit.signal)
      if (connectivity.up) await abortable(this.#listing.gone(), limit.signal)
      logger.info({ id }, 'Deregistered from Consul')
    } catch (error) {
      logger.warn({ id, err: error }, limit.signal.aborted
        ? 'The removal from Consul was not seen in time'
        : 'Not deregistered: Consul removes the service after its check was critical for check.deregisterAfter')
    } finally {
      limit.cancel()
    }
    return true
  }

  /**
   * Waits for the write under way: a deregistration that overtakes it would leave the service at the agent. Not for
   * ever, as an agent without a leader takes the service long before it answers.
   */
  async #settled (within: number): Promise<void> {
    const patience = limitOf(within, 'the write takes too long', this.#parts.clock)
    await abortable(this.#registrar!.settled(), patience.signal).catch(() => {})
    patience.cancel()
  }

  /** Writes the registration with the present result of the own checks. */
  async #write (): Promise<void> {
    const { signal } = this.#ended
    const { status } = await this.#parts.readiness()
    signal.throwIfAborted()
    try {
      this.#listing.begin()
      this.#tell(await this.#registrar!.register(status, signal))
    } catch (error) {
      this.#failed(error as Error)
      throw error
    }
    signal.throwIfAborted()
    this.#enter(this.#status.state)
    this.#listing.expect()
    this.#recover().catch(() => {})
  }

  #tell (registered: Registered): void {
    const { service: { name: service }, listener: { port }, published: { address }, id, status } = registered
    const check = checkTargetOf(registered)
    this.#parts.logger.info({ service, id, address, port, status, check }, 'Registered with Consul')
  }

  #retry (failure: unknown): Promise<void> {
    return retry(failure, () => this.#write(), this.#parts, this.#ended.signal)
  }

  #writeUntilTaken (): Promise<void> {
    return this.#write().catch(error => this.#retry(error))
  }

  #failed (error: Error): void {
    this.#parts.connectivity.report(error)
    const before = this.#status.error
    if (this.ended) return
    this.#enter(this.#status.state, error)
    if (before?.message === error.message) return
    const { id } = this.#status
    this.#parts.logger.warn({ id, err: error }, 'The registration could not be written; it is tried again')
  }

  #keep (): void {
    const parts = {
      ...this.#parts,
      registered: () => this.#registered,
      correct: (reason: string) => this.#correct(reason)
    }
    watchAgent(parts, this.#ended.signal)
    if (this.#registered.check.type === 'ttl') beat(parts, this.#ended.signal).catch(() => {})
  }

  get #registered (): Registered {
    return this.#registrar!.registered!
  }

  /** What is kept by heartbeats needs no other way to get better. */
  async #recover (): Promise<void> {
    if (this.#recovering || this.#registered.check.type === 'ttl') return
    this.#recovering = true
    const registered = () => this.#registered
    const improve = () => this.#writeUntilTaken()
    try {
      await pushRecovery({ ...this.#parts, registered, improve }, this.#ended.signal)
    } finally {
      this.#recovering = false
    }
  }

  /** Writes again what was lost: once for all signs of one loss, and not at any pace, as it may be lost again. */
  async #correct (reason: string): Promise<void> {
    if (this.#correcting || this.ended) return
    this.#correcting = true
    try {
      await this.#corrections.take(this.#ended.signal)
      this.#parts.logger.warn({ id: this.#status.id, reason }, 'The registration was lost and is written again')
      this.#enter('registering')
      await this.#writeUntilTaken()
    } catch {
      // The end came first.
    } finally {
      this.#correcting = false
    }
  }

  /** Holds what the catalog lists against what was registered. */
  #look (entries: readonly WireHealthEntry[]): void {
    const own = entries.find(({ Service: service }) => service.ID === this.#status.id)
    this.#listing.update(own !== undefined)
    const registered = this.#registrar?.registered
    if (own !== undefined && registered !== undefined && !this.ended) this.#contradiction.look(registered, own)
  }

  #confirm (): void {
    const { state, id } = this.#status
    if (this.ended) return
    if (state === 'unconfirmed') this.#parts.logger.info({ id }, 'The catalog shows the registration')
    if (state !== 'registered') this.#enter('registered')
  }

  #miss (): void {
    this.#enter('unconfirmed')
    this.#parts.logger.warn({ id: this.#status.id },
      'The agent took the registration, but the catalog does not show it: the token may lack node:read')
  }

  #enter (state: RegistrationState, error?: Error): void {
    const since = state === this.#status.state ? this.#status.since : new Date()
    this.#status = Object.freeze({ ...this.#status, state, since, error })
  }
}

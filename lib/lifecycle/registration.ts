import { TokenBucket } from '../token-bucket.ts'
import { Hysteresis } from './hysteresis.ts'
import { Keeper } from './keeper.ts'
import type { Loss } from './loss.ts'
import type { Readiness } from './readiness.ts'
import { recheckEvery } from './recovery.ts'
import { Registrar, type Registered, type RegistrationPlan } from './registrar.ts'
import type { RegistrationParts, WriteReason } from './registration-parts.ts'
import type { RegistrationStatus } from './registration-status.ts'
import { retry } from './retry.ts'
import { Rewrites } from './rewrites.ts'
import { Standing } from './standing.ts'
import { tellOfTraps } from './traps.ts'
import { withdraw } from './withdrawal.ts'

/** One service at one agent, from the first try to register it until it is withdrawn. */
export class Registration {
  readonly #parts: RegistrationParts
  readonly #standing: Standing
  /** What is lost again and again is not written again at any pace. */
  readonly #corrections: TokenBucket
  readonly #rewrites: Rewrites
  readonly #ended = new AbortController()
  #registrar: Registrar | undefined
  #keeper: Keeper | undefined
  #hysteresis: Hysteresis | undefined
  /** Resolves when no write is under way, and none waits for another try. */
  #written: Promise<unknown> = Promise.resolve()
  /** How many writes the agent has taken. */
  #taken = 0
  #correcting = false
  /** Someone else has written the entry since our last write. */
  #contested = false
  #startedAt = 0
  #routableAfter: number | undefined
  #withdrawn: Promise<boolean> | undefined
  #stopListening = () => {}

  constructor (parts: RegistrationParts) {
    this.#parts = parts
    this.#standing = new Standing(parts.logger)
    this.#corrections = new TokenBucket({ burst: 3, interval: 10_000 }, parts.clock)
    this.#rewrites = new Rewrites(parts.clock)
  }

  get status (): RegistrationStatus {
    return this.#standing.status
  }

  /** Milliseconds from the start until the catalog showed it for the first time; `undefined`: it did not yet. */
  get routableAfter (): number | undefined { return this.#routableAfter }

  /** Whether it can begin nothing any more: to register again takes another one. */
  get ended (): boolean {
    return this.#ended.signal.aborted
  }

  /** Registers, and keeps it so, in the background. Settles with the first try; a failed one is tried again. */
  async start (plan: RegistrationPlan): Promise<void> {
    if (this.ended || this.status.state !== 'none') return
    this.#registrar = new Registrar(this.#parts.client, plan)
    this.#keeper = this.#keeperOf(this.#registrar)
    if (plan.check.type === 'ttl') this.#hysteresis = new Hysteresis(plan.check)
    this.#standing.begin(plan.id)
    this.#listen(plan, this.#keeper)
    this.#startedAt = this.#parts.clock.now()
    const first = this.#write('first')
    this.#written = first.catch(error => this.#retry(error, 'first')).catch(() => {})
    await first
  }

  /** Nothing begins any more; what has begun is taken back by `withdraw()`. */
  stop (): void {
    this.#ended.abort()
    this.#keeper?.stop()
  }

  /**
   * Takes the service out of Consul and waits until the catalog shows it no longer. What another process has made of
   * the entry stays.
   *
   * @param within milliseconds; then the waiting ends
   * @returns whether there was anything to take out
   */
  async withdraw (within: number): Promise<boolean> {
    this.stop()
    const { state, id } = this.status
    if (state === 'none' || state === 'stopped') return false
    this.#standing.enter('draining')
    this.#withdrawn ??= withdraw({
      ...this.#parts,
      id: id!,
      contested: this.#contested,
      registrar: this.#registrar!,
      listing: this.#keeper!.listing
    }, within)
    return await this.#withdrawn
  }

  /** The end, after the server has closed. */
  close (): void {
    this.stop()
    this.#stopListening()
    if (this.status.state !== 'none') this.#standing.enter('stopped')
  }

  #keeperOf (registrar: Registrar): Keeper {
    return new Keeper({
      ...this.#parts,
      registrar,
      told: () => this.#present(),
      onShown: () => this.#show(),
      onHidden: why => { if (this.#isOurs) this.#standing.hidden(why) },
      onLoss: loss => this.#correct(loss),
      onRefused: why => this.#standing.refused(why),
      onBetter: () => this.#improve()
    })
  }

  #show (): void {
    if (!this.#isOurs) return
    this.#routableAfter ??= this.#parts.clock.now() - this.#startedAt
    this.#standing.shown()
  }

  /** What others tell from now on. */
  #listen ({ id, service: { name } }: RegistrationPlan, keeper: Keeper): void {
    const { follow, onTokenChange } = this.#parts
    const stopFollowing = follow(name, (entries, filtered) => keeper.look(entries, filtered, id))
    const stopHearing = onTokenChange(() => this.#renew().catch(() => {}))
    this.#stopListening = () => {
      stopFollowing()
      stopHearing()
    }
  }

  /** The readiness to tell Consul, which counts the results of its own checks itself. */
  async #present (): Promise<Readiness> {
    const readiness = await this.#parts.readiness()
    return { ...readiness, status: this.#hysteresis?.next(readiness.status) ?? readiness.status }
  }

  /**
   * Writes the registration with the present result of the own checks. What Consul could not reach before is not
   * passing because it was written again, or callers would meet it until the next run of Consul's check.
   */
  async #write (reason: WriteReason, loss?: Loss): Promise<void> {
    const { signal } = this.#ended
    const keeper = this.#keeper!
    keeper.release()
    const { status: own } = await this.#present()
    signal.throwIfAborted()
    const status = keeper.isUnreachable ? 'critical' : own
    const { maintenance } = keeper.listing
    try {
      this.#take(await this.#registrar!.register({ status, loss, maintenance }, signal), reason)
    } catch (error) {
      if (!this.ended) this.#standing.failed(error as Error)
      throw error
    }
  }

  #take (registered: Registered, reason: WriteReason): void {
    const { client, logger } = this.#parts
    const isFirst = this.#taken++ === 0
    this.#contested = false
    this.#standing.written(registered)
    this.#parts.onWritten?.(isFirst ? 'first' : reason)
    if (this.ended) return
    this.#keeper!.hold(registered)
    if (isFirst) tellOfTraps(registered, client, logger).catch(() => {})
  }

  #retry (failure: unknown, reason: WriteReason, loss?: Loss): Promise<void> {
    return retry(failure, () => this.#write(reason, loss), this.#parts, this.#ended.signal)
  }

  /** One after the other, each until the agent has taken it; none that is not wanted any more when its turn comes. */
  async #writeUntilTaken (reason: WriteReason, isWanted: () => boolean, loss?: Loss): Promise<void> {
    const written = this.#written.then(async () => {
      if (isWanted() && !this.ended) await this.#write(reason, loss).catch(error => this.#retry(error, reason, loss))
    })
    this.#written = written.catch(() => {})
    await written
  }

  get #isOurs (): boolean {
    return !this.ended && !this.#standing.inConflict
  }

  /** Writes again what was lost: once for all signs of one loss. */
  async #correct (loss: Loss): Promise<void> {
    if (this.#correcting || this.ended || (this.#standing.inConflict && !loss.isGone)) return
    this.#correcting = true
    try {
      this.#contested = loss.other !== undefined
      if (loss.other !== undefined && this.#rewrites.add()) this.#yield(loss.other)
      else await this.#rewrite(loss)
    } catch {
      // The end came first.
    } finally {
      this.#correcting = false
    }
  }

  /** Nothing is watched until it is written: what else is lost meanwhile comes back with it. */
  async #rewrite (loss: Loss): Promise<void> {
    this.#standing.lost(loss.reason)
    this.#keeper!.release()
    await this.#corrections.take(this.#ended.signal)
    if (loss.isGone) await this.#ready()
    await this.#writeUntilTaken(loss.kind, () => true, loss)
  }

  /** What Consul has removed because it was critical for long comes back when it is not. */
  async #ready (): Promise<void> {
    const { readiness, clock } = this.#parts
    while ((await readiness()).status === 'critical') await clock.sleep(recheckEvery, this.#ended.signal)
  }

  /** Two processes that correct each other would never end. */
  #yield (other: string): void {
    this.#rewrites.forget()
    this.#keeper!.yield()
    this.#standing.contested(this.#registrar!.registered!, other)
  }

  /** Says that a service that was registered ill is better. */
  #improve (): void {
    const taken = this.#taken
    this.#writeUntilTaken('recovered', () => taken === this.#taken && this.#isOurs).catch(() => {})
  }

  /** The agent goes on with the token that it got with the registration. */
  async #renew (): Promise<void> {
    if (this.#taken === 0 || !this.#isOurs) return // What is written next has the new one.
    await this.#corrections.take(this.#ended.signal)
    this.#parts.logger.info({ id: this.status.id }, 'The token has changed: the registration is written again with it')
    await this.#writeUntilTaken('token', () => this.#isOurs)
  }
}

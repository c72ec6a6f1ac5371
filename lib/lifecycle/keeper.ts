import type { Answer, CheckStatus, WireHealthEntry, WireService } from '../consul/wire.ts'
import { watchAgent } from './agent-watch.ts'
import { confirmation } from './confirmation.ts'
import { Contradiction } from './contradiction.ts'
import { beat } from './heartbeat.ts'
import { Listing } from './listing.ts'
import { checkForgotten, forgotten, lossAtAgent, lossInCatalog, twinCheckOf, type Loss } from './loss.ts'
import type { Readiness } from './readiness.ts'
import { recovered } from './recovery.ts'
import type { Registered, Registrar } from './registrar.ts'
import type { RegistrationParts } from './registration-parts.ts'
import { retry } from './retry.ts'

interface KeeperParts extends RegistrationParts {
  readonly registrar: Registrar
  /** The status to tell, which may lag behind the present one. */
  readonly told: () => Promise<Readiness>
  readonly onShown: () => void
  /** The catalog does not show it; without a reason it may only not show it to this token. */
  readonly onHidden: (why: Error | undefined) => void
  readonly onLoss: (loss: Loss) => void
  /** The agent does not take the reports of a TTL check; without an error it does again. */
  readonly onRefused: (why: Error | undefined) => void
  /** What was registered ill has become better. */
  readonly onBetter: () => void
}

/** Holds what Consul says of the service against what the agent took last: by the agent itself and by the catalog. */
export class Keeper {
  readonly listing: Listing
  readonly #parts: KeeperParts
  readonly #contradiction: Contradiction
  /** Ends all that began with the last write. */
  #held = new AbortController()
  #beating: AbortController | undefined
  /** The write whose loss is being verified, and whether the catalog has changed since it was asked. */
  #verifying: AbortSignal | undefined
  #verifyAgain = false

  constructor (parts: KeeperParts) {
    this.#parts = parts
    this.#contradiction = new Contradiction(parts)
    this.listing = new Listing({
      clock: parts.clock,
      onShown: parts.onShown,
      onChanged: () => this.#verify(),
      onMissing: () => this.#miss()
    })
  }

  /** Whether Consul's check cannot reach a service that is ready: it is for that check to say when it can. */
  get isUnreachable (): boolean {
    return this.#contradiction.stands
  }

  /** A write begins. What is known from before is neither judged nor waited on any more. */
  release (): void {
    this.#held.abort()
    this.listing.begin()
  }

  /** The agent has taken the write. */
  hold (registered: Registered): void {
    this.#held.abort()
    this.#held = new AbortController()
    const { signal } = this.#held
    const { check: { type }, status, id } = registered
    this.listing.expect(registered)
    watchAgent(id, service => this.#judge(service), this.#parts, signal).catch(() => {})
    if (type === 'ttl') this.#beat()
    else this.#awaitRecovery(status, signal).catch(() => {})
  }

  /** Another process has the entry: what is left to know is when it goes. */
  yield (): void {
    this.#beating?.abort()
    this.#beating = undefined
    this.listing.begin()
    this.#contradiction.stop()
  }

  /** What the catalog lists under the service's name. A list that is filtered does not say what is gone. */
  look (entries: readonly WireHealthEntry[], filtered: boolean, id: string | undefined): void {
    const entry = entries.find(({ Service: service }) => service.ID === id)
    if (entry === undefined && filtered) return
    this.listing.update(entry)
    const { registered } = this.#parts.registrar
    if (entry === undefined || registered === undefined || !this.listing.isShown) return
    this.#keepTags(registered, entry.Service)
    // A TTL check says but what it was told.
    if (registered.check.type !== 'ttl') this.#contradiction.look(registered, entry)
  }

  stop (): void {
    this.#held.abort()
    this.#beating?.abort()
    this.listing.stop()
    this.#contradiction.stop()
  }

  get #registered (): Registered {
    return this.#parts.registrar.registered!
  }

  /** What the agent has, `undefined` if nothing. */
  #judge (service: WireService | undefined): void {
    const loss = service === undefined ? forgotten : lossAtAgent(this.#registered, service)
    if (loss !== undefined) this.#parts.onLoss(loss)
    else if (service !== undefined) this.#keepTags(this.#registered, service)
  }

  #keepTags (registered: Registered, service: WireService): void {
    if (lossAtAgent(registered, service) === undefined) this.#parts.registrar.keepTags(service)
  }

  /** A server that lags behind may have answered what is no longer, or not yet so: the leader knows. */
  async #verify (): Promise<void> {
    const { signal } = this.#held
    this.#verifyAgain = true
    if (this.#verifying === signal) return
    this.#verifying = signal
    try {
      while (this.#verifyAgain && !signal.aborted) {
        this.#verifyAgain = false
        const { value: entry, filteredByAcls } = await this.#ownEntry(signal)
        signal.throwIfAborted()
        if (entry !== undefined || !filteredByAcls) this.#compare(entry)
      }
    } catch {
      // A write began, or the end came.
    } finally {
      if (this.#verifying === signal) this.#verifying = undefined
    }
  }

  async #ownEntry (signal: AbortSignal): Promise<Answer<WireHealthEntry | undefined>> {
    const { client } = this.#parts
    const { id, service: { name } } = this.#registered
    const ask = async () => {
      const answer = await client.health(name, { signal, consistency: 'default' })
      return { ...answer, value: answer.value.find(({ Service: service }) => service.ID === id) }
    }
    return await ask().catch(error => retry(error, ask, this.#parts, signal))
  }

  #compare (entry: WireHealthEntry | undefined): void {
    const loss = lossInCatalog(this.#registered, entry)
    if (loss === undefined) return
    const twin = entry && twinCheckOf(this.#registered, entry)
    if (twin === undefined) return this.#parts.onLoss(loss)
    this.#parts.registrar.adoptCheck(twin)
    this.listing.expect(this.#registered)
  }

  async #miss (): Promise<void> {
    const { signal } = this.#held
    const { client, onHidden, onLoss } = this.#parts
    try {
      const answer = await confirmation({ client, registered: this.#registered }, signal)
      const isLost = answer.kind === 'absent' && await this.#isCheckLost(signal)
      signal.throwIfAborted()
      if (this.listing.isShown) return
      if (answer.kind === 'shown') this.listing.update(answer.entry)
      else if (isLost) onLoss(checkForgotten)
      else onHidden(answer.kind === 'absent' ? answer.error : undefined)
    } catch (error) {
      if (!signal.aborted) onHidden(error as Error)
    }
  }

  /** Whether it went before the catalog could show it: of a service's checks its hash says nothing. */
  async #isCheckLost (signal: AbortSignal): Promise<boolean> {
    const { id, checkId } = this.#registered
    return !(checkId in await this.#parts.client.agentChecks(id, { signal }))
  }

  #beat (): void {
    if (this.#beating !== undefined) return
    this.#beating = new AbortController()
    const { told, registrar } = this.#parts
    const parts = {
      ...this.#parts,
      readiness: told,
      registered: () => this.#registered,
      onForgotten: (asked: Registered) => {
        // Not if the write that took the place of this check is under way.
        if (!this.#held.signal.aborted && registrar.registered === asked) this.#parts.onLoss(checkForgotten)
      }
    }
    beat(parts, this.#beating.signal).catch(() => {})
  }

  async #awaitRecovery (status: CheckStatus, signal: AbortSignal): Promise<void> {
    if (status === 'passing' || this.isUnreachable) return
    const { readiness, clock, onBetter } = this.#parts
    await recovered(status, readiness, clock, signal)
    onBetter()
  }
}

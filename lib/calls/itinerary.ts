import type { Dispatcher } from 'undici'
import type { Endpoint } from '../balancing/endpoint.ts'
import type { PickContext } from '../balancing/strategy.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import { instanceKey, type InstanceSource } from '../discovery/source.ts'
import type { Balance } from './balance.ts'
import type { Pools } from './pools.ts'
import { isRepeatable } from './repeats.ts'
import type { Route, Scope } from './route.ts'
import { noneFound, noneServed } from './unserved.ts'

export interface ItineraryParts {
  readonly source: InstanceSource
  readonly pools: Pools
}

/** As far as it matters here. */
interface FailedAttempt {
  readonly endpoint: Endpoint
  readonly sent: boolean
  /** Whether only a connection failed that was used again. */
  readonly stale: boolean
}

/** Where a call has been, and where it may still go. */
export class Itinerary implements PickContext {
  readonly service: string
  readonly key: string | undefined
  readonly tried: Endpoint[] = []
  now = 0
  readonly sends = true
  readonly #parts: ItineraryParts
  readonly #route: Route
  readonly #scope: Scope
  readonly #balance: Balance
  readonly #options: Dispatcher.DispatchOptions
  /** Where it met a connection that had been closed meanwhile: may be tried once more. */
  #stale: Endpoint | undefined
  #lastError: Error | undefined
  /** What became of the last attempt that was sent: nobody knows whether it was carried out. */
  #lost: Error | undefined
  #unsent = 0

  constructor (parts: ItineraryParts, route: Route, balance: Balance, options: Dispatcher.DispatchOptions) {
    this.service = route.service
    this.key = balance.key
    this.#parts = parts
    this.#route = route
    this.#scope = route.scopeOf(balance)
    this.#balance = balance
    this.#options = options
  }

  get repeatable (): boolean { return this.#balance.retries > 0 && isRepeatable(this.#options) }

  /** Attempts that did not get as far as sending. */
  get unsent (): number { return this.#unsent }

  /** The instances that there are, as far as they are known without waiting. */
  peek (): readonly ServiceInstance[] | undefined {
    return this.#parts.source.peek(this.service, this.#scope.query)
  }

  async discover (): Promise<readonly ServiceInstance[]> {
    return await this.#parts.source.discover(this.service, this.#scope.query)
  }

  /** Whether an attempt would have to wait there. */
  isFull (endpoint: Endpoint): boolean {
    return this.#parts.pools.isBusy(endpoint)
  }

  /**
   * The place of the next attempt; `undefined`: wherever the call may go it would have to wait.
   *
   * @throws FST_CONSUL_NO_INSTANCE, FST_CONSUL_INVALID_OPTION, and whatever a strategy of the user's own throws
   */
  next (instances: readonly ServiceInstance[], now: number): Endpoint | undefined {
    this.now = now
    const endpoint = this.#pick(instances)
    if (endpoint === 'full' || (endpoint !== undefined && this.isFull(endpoint))) return undefined
    if (endpoint === undefined) throw this.#noInstance(instances)
    if (endpoint === this.#stale) this.#stale = undefined
    this.tried.push(endpoint)
    return endpoint
  }

  /** No connection can be made to there under that origin: as if an attempt had found that out. */
  passOver (endpoint: Endpoint, origin: string, error: Error): void {
    if (this.#route.originFor(endpoint.instance) !== origin) return
    if (this.tried.includes(endpoint) || this.peek()?.includes(endpoint.instance) !== true) return
    this.tried.push(endpoint)
    this.failed({ endpoint, sent: false, stale: false }, error)
  }

  /** Whether there is an instance that was not tried, as far as is known. */
  hasAnother (): boolean {
    const tried = this.tried.map(({ instance }) => instanceKey(instance))
    return this.peek()?.some(instance => !tried.includes(instanceKey(instance))) ?? true
  }

  /** An attempt got no answer. */
  failed ({ endpoint, sent, stale }: FailedAttempt, error: Error): void {
    this.#lastError = error
    if (sent) this.#lost = error
    else this.#unsent++
    if (stale) this.#stale = endpoint
  }

  /** An instance answered that it cannot serve the request. */
  refused (error: Error): void {
    this.#lastError = error
  }

  /** Why the call has failed: nobody else is left. */
  unserved (error: Error): Error {
    return this.#lost ?? noneServed(this.service, this.tried.length, error, this.#unsent)
  }

  /** With nobody else left, the one whose connection was stale, which is given a new one; then the last resort. */
  #pick (instances: readonly ServiceInstance[]): Endpoint | 'full' | undefined {
    const { group } = this.#scope
    const { strategy } = this.#balance
    const picked = this.#staleOwner(instances) ?? group.pickCandidate(instances, strategy, this)
    if (picked !== undefined) return picked
    const stale = this.#staleIn(instances)
    const mayReturn = stale !== undefined && stale.ejection === undefined && !this.isFull(stale)
    if (group.isFull(strategy, this)) return mayReturn ? stale : 'full'
    return stale ?? group.pickLastResort(strategy, this)
  }

  /** Keys must not move for a connection that was closed while it was idle. */
  #staleOwner (instances: readonly ServiceInstance[]): Endpoint | undefined {
    if (this.#stale === undefined || this.#stale.ejection !== undefined || this.isFull(this.#stale)) return undefined
    return this.#scope.group.isChosenByCall(this.#balance.strategy) ? this.#staleIn(instances) : undefined
  }

  /** Where a connection was stale, if that instance is there still. */
  #staleIn (instances: readonly ServiceInstance[]): Endpoint | undefined {
    return this.#stale?.gone === false && instances.includes(this.#stale.instance) ? this.#stale : undefined
  }

  #noInstance (instances: readonly ServiceInstance[]): Error {
    if (this.#lastError === undefined) return noneFound(this.service, this.#scope.query, instances.length)
    return this.unserved(this.#lastError)
  }
}

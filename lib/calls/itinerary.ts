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

/** With so many instances busy the others are most likely busy too. */
const maxLooks = 5

/** Where a call has been, and where it may still go. */
export class Itinerary implements PickContext {
  readonly service: string
  readonly key: string | undefined
  readonly tried: Endpoint[] = []
  now = 0
  readonly #parts: ItineraryParts
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

  /**
   * The place of the next attempt.
   *
   * @throws FST_CONSUL_NO_INSTANCE, FST_CONSUL_INVALID_OPTION, and whatever a strategy of the user's own throws
   */
  next (instances: readonly ServiceInstance[], now: number): Endpoint {
    this.now = now
    const endpoint = this.#pickOwner(instances) ?? this.#pickWithRoom(instances) ?? this.#pickStale(instances) ??
      this.#lastResort()
    if (endpoint === undefined) throw this.#noInstance(instances)
    this.tried.push(endpoint)
    return endpoint
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

  /**
   * Who waits in line for one instance does not see that others have room. If they have none either, the call waits
   * where the strategy wants it.
   */
  #pickWithRoom (instances: readonly ServiceInstance[]): Endpoint | undefined {
    const first = this.#pick(instances)
    if (first === undefined || !this.#parts.pools.isBusy(first)) return first
    const before = this.tried.length
    let found: Endpoint | undefined = first
    for (let looks = 1; found !== undefined && looks < maxLooks && this.#parts.pools.isBusy(found); looks++) {
      this.tried.push(found)
      found = this.#pick(instances)
    }
    this.tried.length = before
    return found === undefined || this.#parts.pools.isBusy(found) ? first : found
  }

  #pick (instances: readonly ServiceInstance[]): Endpoint | undefined {
    return this.#scope.group.pickCandidate(instances, this.#balance.strategy, this)
  }

  #lastResort (): Endpoint | undefined {
    return this.#scope.group.pickLastResort(this.#balance.strategy, this)
  }

  /** Keys must not move for a connection that was closed while it was idle. */
  #pickOwner (instances: readonly ServiceInstance[]): Endpoint | undefined {
    if (this.#stale === undefined || this.#stale.ejection !== undefined) return undefined
    return this.#scope.group.isChosenByCall(this.#balance.strategy) ? this.#pickStale(instances) : undefined
  }

  /** With nobody else left, the one whose connection was stale, if it is there still: it is given a new one. */
  #pickStale (instances: readonly ServiceInstance[]): Endpoint | undefined {
    const stale = this.#stale
    this.#stale = undefined
    return stale?.gone === false && instances.includes(stale.instance) ? stale : undefined
  }

  #noInstance (instances: readonly ServiceInstance[]): Error {
    if (this.#lastError === undefined) return noneFound(this.service, this.#scope.query, instances.length)
    return this.unserved(this.#lastError)
  }
}

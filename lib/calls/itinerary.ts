import type { Dispatcher } from 'undici'
import type { Endpoint } from '../balancing/endpoint.ts'
import type { PickContext } from '../balancing/strategy.ts'
import type { Clock } from '../clock.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import type { InstanceSource } from '../discovery/source.ts'
import type { Balance } from './balance.ts'
import { Failures } from './failures.ts'
import { noneFound } from './none-found.ts'
import type { Pools } from './pools.ts'
import { isRepeatable } from './repeats.ts'
import { isFaultOfHost } from './retry.ts'
import type { Route, Scope } from './route.ts'

export interface ItineraryParts {
  readonly source: InstanceSource
  readonly pools: Pools
  readonly clock: Clock
}

/** An instance to which no connection could be made. */
interface Unreached {
  /** Connections made there before. */
  readonly made: number
  /** When the call may try it by itself. The clock's time. */
  readonly againAt: number
}

/** For how long others are believed that an instance is out of reach: it may be starting anew. Milliseconds. */
const hearsayFor = 1000
/** For how long a call stays away after an attempt of its own, and twice as long each time. Milliseconds. */
const awayFor = 5000

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
  #unreached: Map<Endpoint, Unreached> | undefined
  #failures: Failures | undefined

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

  /** Those that it may go to. */
  get group (): object { return this.#scope.group }

  /** Whether it may not go wherever others of its group may. */
  get isParticular (): boolean { return this.tried.length > 0 || typeof this.#balance.strategy === 'function' }

  get failures (): Failures {
    this.#failures ??= new Failures()
    return this.#failures
  }

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

  /** Whether there is an instance to go on to at once, as far as is known. */
  hasAnother (now: number): boolean {
    const instances = this.peek()
    this.now = now
    return instances === undefined || this.#scope.group.hasOpen(instances, this.#balance.strategy, this)
  }

  /** An attempt got no answer. */
  failed ({ endpoint, sent, stale }: FailedAttempt, error: Error): void {
    this.failures.add(error, sent)
    if (stale) this.#stale = endpoint
    if (!sent && !isFaultOfHost(error)) this.#keepAway(endpoint, awayFor * 2 ** (this.failures.unsent - 1))
  }

  /** No connection can be made to there under that origin, as others have found. Says whether nobody else is left. */
  passOver (endpoint: Endpoint, origin: string, error: Error): boolean {
    if (this.#route.originFor(endpoint.instance) !== origin) return false
    if (this.peek()?.includes(endpoint.instance) !== true) return false
    const isTried = this.tried.includes(endpoint)
    if (!isTried || this.#unreached?.has(endpoint) === true) this.#keepAway(endpoint, hearsayFor)
    if (isTried) return false
    this.tried.push(endpoint)
    this.failures.passedOver(error)
    return !this.#scope.group.isFull(this.#balance.strategy, this)
  }

  /** Why the call fails if nobody is left. */
  unserved (): Error | undefined {
    return this.failures.whenNoneIsLeft(this.service, this.tried.length)
  }

  #keepAway (endpoint: Endpoint, pause: number): void {
    this.#unreached ??= new Map()
    const againAt = this.#parts.clock.now() + pause
    const { againAt: before = againAt } = this.#unreached.get(endpoint) ?? {}
    this.#unreached.set(endpoint, { made: this.#madeTo(endpoint), againAt: Math.max(before, againAt) })
  }

  #madeTo (endpoint: Endpoint): number {
    return this.#parts.pools.madeTo(endpoint, this.#route.originFor(endpoint.instance))
  }

  /** Who could not be reached may be gone to again once others have been there, or have not told for long. */
  #comeBack (): boolean {
    let isAnyBack = false
    for (const [endpoint, { made, againAt }] of this.#unreached ?? []) {
      if (this.#madeTo(endpoint) <= made && this.now < againAt) continue
      this.#unreached?.delete(endpoint)
      while (this.tried.includes(endpoint)) this.tried.splice(this.tried.indexOf(endpoint), 1)
      isAnyBack = true
    }
    return isAnyBack
  }

  #pick (instances: readonly ServiceInstance[]): Endpoint | 'full' | undefined {
    const picked = this.#pickOther(instances)
    if (this.#unreached === undefined) return picked
    const isVain = picked === undefined || picked === 'full' || this.isFull(picked)
    return isVain && this.#comeBack() ? this.#pickOther(instances) : picked
  }

  /** With nobody else left, the one whose connection was stale, which is given a new one; then the last resort. */
  #pickOther (instances: readonly ServiceInstance[]): Endpoint | 'full' | undefined {
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
    return this.unserved() ?? noneFound(this.service, this.#scope.query, instances.length)
  }
}

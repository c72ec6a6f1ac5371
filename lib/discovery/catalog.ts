import { setMaxListeners } from 'node:events'
import type { Clock, Random } from '../clock.ts'
import type { ConsulClient } from '../consul/client.ts'
import { isConnectionError, isRefusal, type Connectivity } from '../consul/connectivity.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import { encodeName } from '../consul/service-name.ts'
import { watch } from '../consul/watch.ts'
import type { Answer, WireHealthEntry } from '../consul/wire.ts'
import { ClosedError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { CatalogLog } from './catalog-log.ts'
import { Departures } from './departures.ts'
import { stepIndex } from './index-rule.ts'
import { departed, nothingKnown, type ServiceSnapshot } from './instances.ts'
import { SingleFlight } from './single-flight.ts'
import type { DiscoverQuery, InstanceSource } from './source.ts'
import { unavailable } from './unavailable.ts'
import { ViewTable } from './view-table.ts'
import type { ServiceView } from './view.ts'
import { Watches } from './watches.ts'

export interface CatalogOptions {
  readonly wait: number
  readonly maxStale: number | undefined
  readonly idleAfter: number
  readonly maxWatches: number
  readonly consistency: 'stale' | 'default' | 'consistent'
  readonly passingOnly: boolean
}

interface CatalogParts {
  readonly client: Pick<ConsulClient, 'health'>
  readonly connectivity: Connectivity
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

/** How long the answer "no such service" counts. Milliseconds. */
const unknownFor = 5000
/** How old the list of a service without a watch of its own may get before it is asked for again. Milliseconds. */
const pollAfter = 2000

/** All that this process knows of Consul's catalog: one shared view a service, kept up to date by a watch. */
export class Catalog implements InstanceSource {
  readonly #options: CatalogOptions
  readonly #parts: CatalogParts
  readonly #views: ViewTable
  readonly #watches: Watches
  readonly #departures: Departures
  readonly #log: CatalogLog
  /** One question for all who want to know the same. */
  readonly #asking = new SingleFlight<ServiceView>()
  readonly #preloaded = new Set<ServiceView>()
  readonly #followers = new Map<ServiceView, Set<(snapshot: ServiceSnapshot) => void>>()
  readonly #closed = new AbortController()

  constructor (options: CatalogOptions, parts: CatalogParts) {
    this.#options = options
    this.#parts = parts
    this.#log = new CatalogLog(parts.logger)
    this.#views = new ViewTable(view => this.#forget(view))
    this.#departures = new Departures(() => this.#views.instanceKeys())
    this.#watches = new Watches({
      idleAfter: options.idleAfter,
      clock: parts.clock,
      isWanted: view => this.#isWanted(view),
      onIdle: view => this.#rest(view)
    })
    // Every first call under way listens.
    setMaxListeners(0, this.#closed.signal)
  }

  peek (name: string, query: DiscoverQuery = {}): readonly ServiceInstance[] | undefined {
    const view = this.#views.find(name, query)
    if (view === undefined || !this.#isCurrent(view)) return undefined
    this.#refresh(view)
    return this.#select(view, query)
  }

  /** @throws FST_CONSUL_CLOSED after `close()` */
  async discover (name: string, query: DiscoverQuery = {}): Promise<readonly ServiceInstance[]> {
    this.#closed.signal.throwIfAborted()
    return this.peek(name, query) ?? this.#select(await this.#load(name, query), query)
  }

  /** Whether Consul lists no instance at all, not even a critical one. */
  isUnregistered (name: string, query: DiscoverQuery = {}): boolean {
    return this.#views.find(name, query)?.snapshot?.known.length === 0
  }

  onLeave (listener: (left: readonly ServiceInstance[]) => void): () => void {
    return this.#departures.onLeave(listener)
  }

  /** Keeps a service known from now on, whether it exists or not and whether anyone asks or not. */
  preload (name: string): void {
    const view = this.#views.obtain(name, {})
    this.#preloaded.add(view)
    view.wanted = true
    if (view.upkeep !== 'watched') this.#keep(view)
    if (view.upkeep === 'polled') this.#update(view)
  }

  /** The same beyond `maxWatches` too. The listener gets every answer's snapshot. */
  follow (name: string, listener: (snapshot: ServiceSnapshot) => void): () => void {
    const view = this.#views.obtain(name, {})
    const followers = this.#followers.get(view) ?? new Set()
    this.#followers.set(view, followers.add(listener))
    if (view.upkeep !== 'watched') this.#watch(view)
    return () => {
      followers.delete(listener)
      if (followers.size === 0) this.#followers.delete(view)
    }
  }

  /** Everything known of a service, without asking. */
  view (name: string, query: DiscoverQuery = {}): ServiceView | undefined {
    return this.#views.find(name, query)
  }

  close (): void {
    this.#closed.abort(new ClosedError('discover()'))
    this.#watches.close()
  }

  #select (view: ServiceView, query: DiscoverQuery): readonly ServiceInstance[] {
    return view.select(query, query.passingOnly ?? this.#options.passingOnly)
  }

  /** Whether what is in memory may be given out. */
  #isCurrent (view: ServiceView): boolean {
    if (view.snapshot === undefined) return false
    if (view.upkeep === 'unknown') return view.staleFor(this.#parts.clock.now()) < unknownFor
    return !this.#isTooOld(view)
  }

  #isTooOld (view: ServiceView): boolean {
    const { maxStale } = this.#options
    return maxStale !== undefined && view.staleFor(this.#parts.clock.now()) > maxStale
  }

  /** Someone asked: a view that is kept up to date only while it is asked for gets what it needs. */
  #refresh (view: ServiceView): void {
    view.want()
    if (view.upkeep !== 'idle' && view.upkeep !== 'polled') return
    this.#keep(view)
    if (view.upkeep === 'polled' && view.staleFor(this.#parts.clock.now()) > pollAfter) this.#update(view)
  }

  async #load (name: string, query: DiscoverQuery): Promise<ServiceView> {
    encodeName(name)
    const view = this.#views.obtain(name, query)
    view.want()
    await this.#update(view)
    this.#closed.signal.throwIfAborted()
    if (view.snapshot === undefined || this.#isTooOld(view)) throw unavailable(view)
    return view
  }

  /**
   * Asks, but not while the agent cannot be reached, and not at every call when it refuses. It never rejects: what
   * failed stands in the view.
   */
  async #update (view: ServiceView): Promise<void> {
    const { connectivity, clock } = this.#parts
    if (!connectivity.up || clock.now() < view.askAgainAt || this.#closed.signal.aborted) return
    await this.#asking.run(view, () => this.#ask(view))
  }

  /** What a watch of the same service has learned in the meantime is newer, and stays. */
  async #ask (view: ServiceView): Promise<void> {
    const before = view.snapshot
    try {
      const answer = await this.#query(view, undefined, this.#closed.signal)
      if (view.snapshot === before) this.#accept(view, answer)
      if (view.upkeep !== 'new' && view.upkeep !== 'unknown') return
      if (answer.value.length === 0) view.upkeep = 'unknown'
      else if (this.#views.has(view)) this.#keep(view, stepIndex(undefined, answer.index).next)
    } catch (error) {
      if (view.snapshot === before && !this.#closed.signal.aborted) this.#fail(view, error)
    }
  }

  /** A service that exists gets a watch, or is polled if there are too many already. */
  #keep (view: ServiceView, index?: string): void {
    if (this.#watches.size - this.#followers.size < this.#options.maxWatches) return this.#watch(view, index)
    view.upkeep = 'polled'
    this.#log.limitReached(this.#options.maxWatches)
  }

  #watch (view: ServiceView, from?: string): void {
    if (this.#closed.signal.aborted) return
    const { connectivity, clock, random } = this.#parts
    view.watch(from !== undefined)
    watch({
      query: (index, signal) => this.#query(view, index, signal),
      advance: (index, answer) => stepIndex(index, answer.index),
      onAnswer: answer => this.#accept(view, answer),
      onError: (error, failures) => this.#fail(view, error, failures),
      connectivity,
      clock,
      random
    }, this.#watches.begin(view), from)
  }

  #isWanted (view: ServiceView): boolean {
    const { asked } = view
    view.asked = false
    return asked || this.#followers.has(view) || this.#preloaded.has(view)
  }

  /** Its watch has ended; its list stays. */
  #rest (view: ServiceView): void {
    view.upkeep = 'idle'
    this.#log.resting(view)
  }

  #forget (view: ServiceView): void {
    this.#log.resting(view)
    this.#departures.check(view.snapshot?.healthy ?? [])
  }

  #query (view: ServiceView, index: string | undefined, signal: AbortSignal): Promise<Answer<WireHealthEntry[]>> {
    const { name, datacenter, filter, near } = view.key
    const { wait, consistency } = this.#options
    return this.#parts.client.health(name, { datacenter, filter, near, consistency, index, wait, signal })
  }

  #accept (view: ServiceView, answer: Answer<WireHealthEntry[]>): void {
    const before = view.snapshot ?? nothingKnown
    const after = view.accept(answer.value, this.#parts.clock.now())
    this.#log.listed(view, before, after)
    this.#departures.check(departed(before, after))
    for (const listener of this.#followers.get(view) ?? []) listener(after)
  }

  #fail (view: ServiceView, error: unknown, failures = 1): void {
    const { connectivity, clock } = this.#parts
    if (isConnectionError(error)) {
      if (failures > 2 && connectivity.up) this.#log.brokenOff(error)
    } else if (view.upkeep === 'watched' || view.upkeep === 'polled') {
      // After an outage there may be no leader for a while, which is no news.
      if (isRefusal(error) || view.error === undefined) this.#log.refused(view, error)
    }
    connectivity.report(error)
    view.fail(error, clock.now())
  }
}

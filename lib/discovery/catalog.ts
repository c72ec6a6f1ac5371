import type { Clock, Random } from '../clock.ts'
import type { ConsulClient } from '../consul/client.ts'
import { isConnectionError, type Connectivity } from '../consul/connectivity.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import { encodeName } from '../consul/service-name.ts'
import { watch } from '../consul/watch.ts'
import type { Answer, WireHealthEntry } from '../consul/wire.ts'
import { ClosedError, UnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { stepIndex } from './index-rule.ts'
import { departed, nothingKnown, type ServiceSnapshot } from './instances.ts'
import type { DiscoverQuery, InstanceSource } from './source.ts'
import { ViewTable } from './view-table.ts'
import type { ServiceView } from './view.ts'

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

/** How long the answer "no such service" counts, and an error that is none of the connection. Milliseconds. */
const unknownFor = 5000
/** How old the list of a service without a watch of its own may get before it is asked for again. Milliseconds. */
const pollAfter = 2000
/** All that this process knows of Consul's catalog: one shared view a service, kept up to date by a watch. */
export class Catalog implements InstanceSource {
  readonly #options: CatalogOptions
  readonly #parts: CatalogParts
  readonly #views = new ViewTable()
  readonly #loading = new Map<ServiceView, Promise<void>>()
  readonly #watches = new Map<ServiceView, AbortController>()
  readonly #followers = new Map<ServiceView, Set<(snapshot: ServiceSnapshot) => void>>()
  readonly #leaveListeners = new Set<(left: readonly ServiceInstance[]) => void>()
  readonly #closed = new AbortController()
  #stopSweeping: (() => void) | undefined
  #limitTold = false

  constructor (options: CatalogOptions, parts: CatalogParts) {
    this.#options = options
    this.#parts = parts
  }

  peek (name: string, query: DiscoverQuery = {}): readonly ServiceInstance[] | undefined {
    const view = this.#views.find(name, query)
    if (view === undefined || !this.#isCurrent(view)) return undefined
    this.#touch(view)
    return this.#select(view, query)
  }

  async discover (name: string, query: DiscoverQuery = {}): Promise<readonly ServiceInstance[]> {
    return this.peek(name, query) ?? this.#select(await this.#load(name, query), query)
  }

  /** Whether Consul lists no instance at all, not even a critical one. */
  isUnregistered (name: string, query: DiscoverQuery = {}): boolean {
    return this.#views.find(name, query)?.snapshot?.known.length === 0
  }

  onLeave (listener: (left: readonly ServiceInstance[]) => void): () => void {
    this.#leaveListeners.add(listener)
    return () => this.#leaveListeners.delete(listener)
  }

  /** Watches a service from now on, known or not, asked for or not. The listener gets every answer's snapshot. */
  follow (name: string, listener: (snapshot: ServiceSnapshot) => void = () => {}): () => void {
    const view = this.#views.obtain(name, {}, this.#parts.clock.now())
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
    this.#stopSweeping?.()
    for (const controller of this.#watches.values()) controller.abort()
    this.#watches.clear()
  }

  #select (view: ServiceView, query: DiscoverQuery): readonly ServiceInstance[] {
    return view.select(query, query.passingOnly ?? this.#options.passingOnly)
  }

  /** Whether what is in memory may be given out. */
  #isCurrent (view: ServiceView): boolean {
    if (view.snapshot === undefined) return false
    if (view.upkeep === 'unknown') return this.#parts.clock.now() - view.answeredAt < unknownFor
    return !this.#isTooOld(view)
  }

  #isTooOld ({ lostAt }: ServiceView): boolean {
    const { maxStale } = this.#options
    return maxStale !== undefined && lostAt !== undefined && this.#parts.clock.now() - lostAt > maxStale
  }

  /** Someone asked: a view that is kept up to date only while it is asked for gets what it needs. */
  #touch (view: ServiceView): void {
    view.asked = true
    if (view.upkeep === 'watched' || view.upkeep === 'unknown' || this.#closed.signal.aborted) return
    if (this.#watches.size < this.#options.maxWatches) this.#watch(view)
    else if (this.#parts.clock.now() - view.answeredAt > pollAfter) this.#poll(view)
  }

  async #load (name: string, query: DiscoverQuery): Promise<ServiceView> {
    encodeName(name)
    this.#closed.signal.throwIfAborted()
    const view = this.#views.obtain(name, query, this.#parts.clock.now())
    if (this.#isWorthAsking(view)) await this.#ask(view).catch(() => {})
    this.#closed.signal.throwIfAborted()
    if (view.snapshot === undefined || this.#isTooOld(view)) throw unavailable(name, view.error)
    return view
  }

  /** Not while the agent cannot be reached, and not at every call when it refuses. */
  #isWorthAsking (view: ServiceView): boolean {
    if (!this.#parts.connectivity.up) return false
    return view.lostAt === undefined || isConnectionError(view.error) ||
      this.#parts.clock.now() - view.failedAt > unknownFor
  }

  /** One question for all who want to know the same. */
  #ask (view: ServiceView): Promise<void> {
    const running = this.#loading.get(view)
    if (running !== undefined) return running
    const asking = this.#askOnce(view).finally(() => this.#loading.delete(view))
    this.#loading.set(view, asking)
    return asking
  }

  async #askOnce (view: ServiceView): Promise<void> {
    try {
      const answer = await this.#query(view, undefined, this.#closed.signal)
      this.#accept(view, answer)
      if (answer.value.length === 0) view.upkeep = view.upkeep === 'new' ? 'unknown' : view.upkeep
      else if (view.upkeep === 'new' || view.upkeep === 'unknown') this.#keep(view, answer.index)
    } catch (error) {
      if (!this.#closed.signal.aborted) this.#fail(view, error)
      throw error
    }
  }

  #poll (view: ServiceView): void {
    this.#ask(view).catch(() => {})
  }

  /** A service that exists gets a watch, or is polled if there are too many already. */
  #keep (view: ServiceView, index: string | undefined): void {
    if (this.#watches.size < this.#options.maxWatches) return this.#watch(view, index)
    view.upkeep = 'polled'
    if (this.#limitTold) return
    this.#limitTold = true
    this.#parts.logger.warn({ maxWatches: this.#options.maxWatches },
      'discovery.maxWatches is reached: further services are polled while they are asked for')
  }

  #watch (view: ServiceView, from?: string): void {
    const controller = new AbortController()
    this.#watches.set(view, controller)
    view.upkeep = 'watched'
    this.#sweepLater()
    const { connectivity, clock, random } = this.#parts
    watch({
      query: (index, signal) => this.#query(view, index, signal),
      advance: (index, answer) => stepIndex(index, answer.index),
      onAnswer: answer => this.#accept(view, answer),
      onError: error => this.#fail(view, error),
      connectivity,
      clock,
      random
    }, controller.signal, from)
  }

  #query (view: ServiceView, index: string | undefined, signal: AbortSignal): Promise<Answer<WireHealthEntry[]>> {
    const { name, datacenter, filter, near } = view.key
    const { wait, consistency } = this.#options
    return this.#parts.client.health(name, { datacenter, filter, near, consistency, index, wait, signal })
  }

  #accept (view: ServiceView, answer: Answer<WireHealthEntry[]>): void {
    const before = view.snapshot
    const after = view.accept(answer.value, this.#parts.clock.now())
    this.#tell(view, before, after)
    const left = departed(before ?? nothingKnown, after)
    if (left.length > 0) for (const listener of this.#leaveListeners) listener(left)
    for (const listener of this.#followers.get(view) ?? []) listener(after)
  }

  #fail (view: ServiceView, error: unknown): void {
    if (view.lostAt === undefined && !isConnectionError(error)) {
      this.#parts.logger.warn({ service: view.key.name, err: error }, 'Consul refuses to list a service')
    }
    this.#parts.connectivity.report(error)
    view.fail(error, this.#parts.clock.now())
  }

  #tell ({ key: { name: service } }: ServiceView, before: ServiceSnapshot | undefined, after: ServiceSnapshot): void {
    const [was, is] = [before?.healthy.length ?? 0, after.healthy.length]
    const { logger } = this.#parts
    if (was > 0 && is === 0) logger.warn({ service, known: after.known.length }, 'No healthy instance is left')
    else if (was === 0 && is > 0) logger.info({ service, instances: is }, 'Healthy instances were found')
  }

  #sweepLater (): void {
    this.#stopSweeping ??= this.#parts.clock.after(this.#options.idleAfter / 4, () => {
      this.#stopSweeping = undefined
      this.#endIdleWatches()
      if (this.#watches.size > 0) this.#sweepLater()
    })
  }

  #endIdleWatches (): void {
    const now = this.#parts.clock.now()
    for (const [view, controller] of this.#watches) {
      if (view.asked || this.#followers.has(view)) view.idleSince = now
      view.asked = false
      if (now - view.idleSince < this.#options.idleAfter) continue
      controller.abort()
      this.#watches.delete(view)
      view.upkeep = 'idle'
    }
  }
}

function unavailable (name: string, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : 'it cannot be reached'
  return new UnavailableError(`Consul has not said where ${name} is: ${why}`,
    `Check that its agent runs and the url option, or list ${name} in fallback`, { cause })
}

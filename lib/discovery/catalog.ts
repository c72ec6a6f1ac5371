import { Background } from '../background.ts'
import type { Clock, Random } from '../clock.ts'
import type { ConsulClient } from '../consul/client.ts'
import type { Connectivity } from '../consul/connectivity.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import { encodeName } from '../consul/service-name.ts'
import { ClosedError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { CatalogLog } from './catalog-log.ts'
import { Confirmations } from './confirmations.ts'
import { Departures } from './departures.ts'
import { FirstCalls } from './first-calls.ts'
import { Followers, type Follower } from './followers.ts'
import { stepIndex } from './index-rule.ts'
import { departed, nothingKnown } from './instances.ts'
import { lookAgain } from './look-again.ts'
import { Poller } from './poller.ts'
import { Questions, type QuestionOptions, type ServiceAnswer } from './questions.ts'
import { noQuery, type DiscoverQuery, type InstanceSource, type LeaveListener } from './source.ts'
import { unavailable } from './unavailable.ts'
import { Upkeep, type UpkeepOptions } from './upkeep.ts'
import { maxViews, ViewTable } from './view-table.ts'
import type { ServiceView } from './view.ts'

export interface CatalogOptions extends QuestionOptions, UpkeepOptions {
  /** Limit of one question, and of the time for which a first call waits for an agent that is away. Milliseconds. */
  readonly timeout: number
  readonly maxStale: number | undefined
  readonly passingOnly: boolean
}

export interface CatalogParts {
  readonly client: Pick<ConsulClient, 'health' | 'authorize'>
  readonly connectivity: Connectivity
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  /** Told for how many milliseconds a first call waited. What came of it stands in the view. */
  readonly onWaited?: ((view: ServiceView, ms: number) => void) | undefined
}

/** How long the answer "no such service" counts. Milliseconds. */
const unknownFor = 5000

/** All that this process knows of Consul's catalog: one shared view a service, kept true while it is asked for. */
export class Catalog implements InstanceSource {
  readonly #options: CatalogOptions
  readonly #parts: CatalogParts
  readonly #views: ViewTable
  readonly #questions: Questions
  readonly #firstCalls: FirstCalls
  readonly #upkeep: Upkeep
  readonly #confirmations: Confirmations
  readonly #departures: Departures
  readonly #log: CatalogLog
  readonly #preloaded = new Set<ServiceView>()
  readonly #followers = new Followers()
  readonly #closed = new AbortController()
  readonly #background = new Background()

  constructor (options: CatalogOptions, parts: CatalogParts) {
    this.#options = options
    this.#parts = parts
    this.#log = new CatalogLog(parts.logger)
    this.#views = new ViewTable(view => this.#forget(view))
    this.#departures = new Departures(view => this.#views.othersOf(view))
    const { signal: closed } = this.#closed
    this.#questions = new Questions(options, {
      ...parts, log: this.#log, accept: (view, answer) => this.#accept(view, answer), closed
    })
    this.#confirmations = new Confirmations({
      ...parts,
      ask: (view, signal) => lookAgain(view, { ...options, client: parts.client, signal }),
      onAnswer: (view, answer) => this.#confirm(view, answer)
    })
    const ask = (view: ServiceView, timeout?: number) => this.#ask(view, timeout)
    this.#firstCalls = new FirstCalls({ ...parts, ask, timeout: options.timeout, closed })
    this.#upkeep = new Upkeep(options, {
      isFollowed: view => this.#followers.has(view),
      isPreloaded: view => this.#preloaded.has(view),
      watch: (view, signal, from) => this.#questions.watch(view, signal, from),
      poller: new Poller({ ...parts, ask }),
      onLimit: () => this.#log.limitReached(options.maxWatches),
      onIdle: view => this.#rest(view),
      clock: parts.clock
    })
  }

  /** Calls come here each time: nothing is made, but for a key if a datacenter, a filter or several tags are named. */
  peek (name: string, query = noQuery): readonly ServiceInstance[] | undefined {
    const view = this.#views.find(name, query)
    if (view === undefined || !this.#isCurrent(view)) return undefined
    view.want()
    if (view.upkeep === 'idle') this.#resume(view)
    return this.#select(view, query)
  }

  /**
   * What is not in memory is asked for, and an agent that is away is waited for, `timeout` at the most.
   *
   * @throws FST_CONSUL_CLOSED after `close()`
   */
  async discover (name: string, query = noQuery): Promise<readonly ServiceInstance[]> {
    return this.#peekOpen(name, query) ?? await this.#load(name, query, view => this.#firstCalls.askPatiently(view))
  }

  /** The same without waiting for an agent that is away: for those who know a fallback. */
  async discoverNow (name: string, query = noQuery): Promise<readonly ServiceInstance[]> {
    return this.#peekOpen(name, query) ?? await this.#load(name, query, view => this.#firstCalls.askNow(view))
  }

  /** The same in the background: for those whom no call waits for. */
  async learn (name: string): Promise<readonly ServiceInstance[]> {
    return this.#peekOpen(name, noQuery) ?? await this.#load(name, noQuery, view => this.#firstCalls.ask(view))
  }

  /** Whether Consul lists no instance at all, not even a critical one. */
  isUnregistered (name: string, query = noQuery): boolean {
    return this.#views.find(name, query)?.snapshot?.known.length === 0
  }

  onLeave (listener: LeaveListener): () => void {
    return this.#departures.onLeave(listener)
  }

  /** Keeps a service known from now on, whether it exists or not and whether anyone asks or not. */
  preload (name: string): void {
    const view = this.#views.obtain(name, noQuery)
    this.#preloaded.add(view)
    view.wanted = true
    if (view.upkeep !== 'watched') this.#resume(view)
  }

  /** Watches it beyond `maxWatches` too. The listener gets every answer as Consul gave it. */
  follow (name: string, listener: Follower): () => void {
    const view = this.#views.obtain(name, noQuery)
    const end = this.#followers.add(view, listener)
    if (!this.#closed.signal.aborted) this.#upkeep.watch(view)
    return end
  }

  /** Everything known of a service, without asking. */
  view (name: string, query = noQuery): ServiceView | undefined {
    return this.#views.find(name, query)
  }

  /** All that is known. */
  get views (): Iterable<ServiceView> { return this.#views.all }

  /** All that is known of a service, by its name in any case. */
  viewsOf (name: string): Iterable<ServiceView> { return this.#views.of(name) }

  /** Whether its list is older than `maxStale`: then it is not given out. */
  isTooOld (view: ServiceView): boolean {
    const { maxStale } = this.#options
    return maxStale !== undefined && view.staleFor(this.#parts.clock.now()) > maxStale
  }

  close (): void {
    this.#closed.abort(new ClosedError('discover()'))
    this.#upkeep.close()
    this.#confirmations.close()
  }

  #select (view: ServiceView, query: DiscoverQuery): readonly ServiceInstance[] {
    return view.select(query, query.passingOnly ?? this.#options.passingOnly)
  }

  /** Whether what is in memory may be given out. */
  #isCurrent (view: ServiceView): boolean {
    if (view.snapshot === undefined) return false
    if (view.upkeep === 'unknown') return view.staleFor(this.#parts.clock.now()) < unknownFor
    return !this.isTooOld(view)
  }

  #peekOpen (name: string, query: DiscoverQuery): readonly ServiceInstance[] | undefined {
    this.#closed.signal.throwIfAborted()
    return this.peek(name, query)
  }

  async #load (
    name: string, query: DiscoverQuery, ask: (view: ServiceView) => Promise<void>
  ): Promise<readonly ServiceInstance[]> {
    encodeName(name)
    const asked = this.#views.obtain(name, query)
    asked.want()
    await ask(asked)
    this.#closed.signal.throwIfAborted()
    // It may have been forgotten meanwhile, and another one may have been answered in its place.
    const found = this.#views.find(name, query)
    const view = found?.snapshot === undefined ? asked : found
    if (view.snapshot === undefined || this.isTooOld(view)) throw unavailable(view)
    return this.#select(view, query)
  }

  /** A view that was left alone is kept up to date again. */
  #resume (view: ServiceView): void {
    if (this.#closed.signal.aborted) return
    this.#background.run(() => {
      this.#upkeep.keep(view)
      if (view.upkeep === 'polled') this.#firstCalls.ask(view)
    })
  }

  /** It never rejects. */
  async #ask (view: ServiceView, timeout?: number): Promise<void> {
    const answer = await this.#questions.once(view, timeout)
    if (answer !== undefined && (view.upkeep === 'new' || view.upkeep === 'unknown')) this.#admit(view, answer)
  }

  /** A service that exists is kept up to date from here on; any other name is only remembered for a while. */
  #admit (view: ServiceView, { value, index }: ServiceAnswer): void {
    view.upkeep = 'unknown'
    if (value.length === 0 || this.#views.readmit(view) !== view) return
    this.#background.run(() => this.#upkeep.keep(view, stepIndex(undefined, index).next))
    const coldest = this.#upkeep.size > maxViews && this.#upkeep.coldest()
    if (coldest) this.#views.forget(coldest)
  }

  /** Nobody asks for it any longer; its list stays. */
  #rest (view: ServiceView): void {
    view.upkeep = 'idle'
    this.#log.resting(view)
  }

  #forget (view: ServiceView): void {
    this.#upkeep.drop(view)
    this.#confirmations.drop(view)
    this.#log.resting(view)
    this.#departures.check(view, view.snapshot?.healthy ?? [])
  }

  #accept (view: ServiceView, answer: ServiceAnswer): void {
    const { clock, connectivity } = this.#parts
    const before = view.snapshot ?? nothingKnown
    const after = view.accept(answer, clock.now(), connectivity.outages)
    this.#log.listed(view, before, after)
    this.#departures.check(view, departed(before, after))
    this.#background.run(() => this.#confirmations.expect(view))
    this.#followers.tell(view, answer)
  }

  #confirm (view: ServiceView, answer: ServiceAnswer): void {
    const before = view.snapshot ?? nothingKnown
    const after = view.confirm(answer, this.#parts.clock.now())
    this.#log.confirmed(view, before, after)
    this.#departures.check(view, departed(before, after))
  }
}

import type { Calls } from './calls/calls.ts'
import { systemClock, type Clock, type Random } from './clock.ts'
import type { ConsulClient } from './consul/client.ts'
import type { ServiceInstance } from './consul/instance.ts'
import type { ServiceName } from './declared-services.ts'
import { checkQuestion } from './discovery/check-query.ts'
import { listServices } from './discovery/list-services.ts'
import type { DiscoverQuery } from './discovery/source.ts'
import { ClosedError, LeavingError, UnavailableError } from './errors.ts'
import type { HealthCheckManager } from './health/manager.ts'
import { drain } from './lifecycle/drain.ts'
import { requireLeader } from './lifecycle/leader.ts'
import { listenerOnPort, type Listener } from './lifecycle/listener.ts'
import type { RegistrationStatus } from './lifecycle/registration-status.ts'
import type { Logger } from './logger.ts'
import { explain, type Explanation } from './observe/explain.ts'
import { closeParts, createParts, type Parts } from './parts.ts'
import type { ResolvedOptions } from './options/resolved.ts'

interface Place {
  readonly listener: Listener
  /** The ready route as mounted. */
  readonly readyPath: string | undefined
}

interface RegistrySurroundings {
  readonly logger: Logger
  readonly clock?: Clock
  readonly random?: Random
  /** A server of the app will say where it listens. Default false. */
  readonly hasServer?: boolean
}

/** A service's whole Consul life: its health, its registration, the other services, and calls to them. */
export class ServiceRegistry implements AsyncDisposable {
  /** The readiness checks; plugins add their own. */
  readonly health: HealthCheckManager
  /** Consul's HTTP API, for what is not done here already. */
  readonly client: ConsulClient
  readonly #options: ResolvedOptions
  readonly #clock: Clock
  readonly #parts: Parts
  readonly #leaving = new AbortController()
  /** Where the service is to be found, once that is known. */
  #place: Place | undefined
  #drained: Promise<void> | undefined
  #closed: Promise<void> | undefined
  /** What the drain left of `drain.timeout`, for the calls that run at the end. Milliseconds. */
  #left: number

  constructor (
    options: ResolvedOptions,
    { logger, clock = systemClock, random = Math.random, hasServer = false }: RegistrySurroundings
  ) {
    this.#options = options
    this.#clock = clock
    this.#left = options.drain.timeout
    this.#parts = createParts(options, { leaving: this.signal, logger, clock, random })
    this.client = this.#parts.client
    this.health = this.#parts.health
    const { service } = options
    const isKnown = service && !(hasServer && service.port === 0)
    if (isKnown) this.#place = { listener: listenerOnPort(service.port), readyPath: undefined }
  }

  /** Aborts when the service begins to leave: for work that should end then. */
  get signal (): AbortSignal {
    return this.#leaving.signal
  }

  get registration (): RegistrationStatus {
    return this.#parts.membership.status
  }

  /** The undici `Dispatcher` behind `fetch` and `request`. */
  get dispatcher (): Calls['dispatcher'] {
    return this.#parts.calls.dispatcher
  }

  /** WHATWG fetch whose `http://service-name/` goes to one of the service's instances. */
  get fetch (): Calls['fetch'] {
    return this.#parts.calls.fetch
  }

  /** undici's `request` over the same instances: several times faster than `fetch`. */
  get request (): Calls['request'] {
    return this.#parts.calls.request
  }

  /**
   * Registers the service, and keeps it so until `deregister()`, `drain()` or `close()`. While Consul is down it goes
   * on in the background. Nothing happens in mode `static`, without a service name, or in an app that does not listen
   * yet and has no `service.port`: it registers by itself when it does.
   *
   * @returns the service id, if there is one
   * @throws FST_CONSUL_UNAVAILABLE in mode `full`, if Consul has no leader within `timeout`, or does not take the
   * service; nothing goes on then
   * @throws FST_CONSUL_CLOSED once the service has begun to leave
   */
  async register (): Promise<string | undefined> {
    if (this.signal.aborted) throw new ClosedError('register()')
    const { mode, timeout } = this.#options
    if (this.#place === undefined || mode === 'static') return undefined
    this.#parts.lookAtRights()
    this.preload()
    if (mode === 'full') await this.requireLeader(timeout)
    try {
      await this.#join(this.#place)
    } catch (cause) {
      if (mode === 'full') return await this.#refuse(cause)
    }
    return this.registration.id
  }

  /**
   * @internal Registers what listens, in the background: a failure is logged, and tried again.
   * @param readyPath the ready route as mounted
   */
  registerListener (listener: Listener, readyPath: string | undefined): void {
    this.#place = { listener, readyPath }
    this.#parts.lookAtRights()
    this.#join(this.#place).catch(() => {})
  }

  /**
   * Takes the service out of Consul and waits until it is seen to be gone, at most `drain.timeout`. `register()` may
   * follow.
   */
  async deregister (): Promise<void> {
    await this.#parts.membership.leave(this.#options.drain.timeout)
  }

  /**
   * The service leaves: readiness says so, `signal` aborts, Consul forgets the service, and callers get `drain.delay`
   * to notice. Requests are served all the while. Done once, whoever asks.
   */
  drain (): Promise<void> {
    if (this.#drained === undefined) {
      this.#drained = this.#drain()
      this.#leaving.abort(new LeavingError())
    }
    return this.#drained
  }

  /**
   * Takes the service out of discovery, or back in; Consul remembers it over restarts of the agent. Without a
   * registration there is but a line in the log.
   *
   * @throws FST_CONSUL_CONFLICT while another process has the id: the entry is not this service's to touch
   */
  async maintenance (on: boolean, reason?: string): Promise<void> {
    await this.#parts.membership.maintain(on, reason)
  }

  /**
   * The healthy instances of a service, from memory but for the first call. The array is frozen, and the same until
   * something changes. No instance: an empty one.
   *
   * @throws FST_CONSUL_UNAVAILABLE if Consul has never answered and there is no fallback
   * @throws FST_CONSUL_INVALID_NAME
   * @throws FST_CONSUL_INVALID_OPTION for a query that cannot be
   */
  async discover (name: ServiceName, query?: DiscoverQuery): Promise<readonly ServiceInstance[]> {
    checkQuestion(name, query)
    return await this.#parts.source.discover(name, query)
  }

  /** The address of one instance, chosen by the strategy, or `null` if there is none. */
  async getServiceAddress (
    name: ServiceName, options?: Parameters<Calls['pick']>[1]
  ): Promise<{ address: string, port: number, instance: ServiceInstance } | null> {
    const instance = await this.#parts.calls.pick(name, options)
    return instance === null ? null : { address: instance.address, port: instance.port, instance }
  }

  /** The URL of one instance, chosen by the strategy, or `null` if there is none. */
  async getServiceUrl (name: ServiceName, options?: Parameters<Calls['pick']>[1]): Promise<string | null> {
    return (await this.#parts.calls.pick(name, options))?.url ?? null
  }

  /**
   * All services by name with their tags.
   *
   * @throws FST_CONSUL_UNAVAILABLE if Consul does not answer and there is no fallback
   * @throws FST_CONSUL_CLOSED after `close()`
   */
  async listServices (): Promise<Record<string, string[]>> {
    return await listServices({ ...this.#parts, options: this.#options })
  }

  /** For every known instance of a service why it is in or out. Asks nobody. */
  explain (name: ServiceName, query: DiscoverQuery = {}): Explanation {
    checkQuestion(name, query)
    const { catalog, fallback, comparison, calls } = this.#parts
    const { mode, discovery, balancer: { warningShare } } = this.#options
    const spare = mode === 'full' ? [] : fallback.peek(name)
    const view = mode === 'hybrid' || mode === 'full' ? catalog.view(name, query) : undefined
    const more = { query, calls, warningShare, ...comparison.of(name), now: this.#clock.now() }
    return explain(name, { ...discovery, ...more, view, spare })
  }

  /** Drains, then ends every watch, pool and timer. Harmless the second time. */
  close (): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  /** @internal Services that are known to be needed are watched from here on. */
  preload (): void {
    const names = this.#parts.source === this.#parts.fallback ? [] : this.#options.discovery.preload
    if (names.length > 0) this.#parts.lookAtRights()
    for (const name of names) this.#parts.preload(name)
  }

  /**
   * @internal Resolves when a leader is known.
   * @throws FST_CONSUL_UNAVAILABLE after `within` milliseconds
   */
  async requireLeader (within: number): Promise<void> {
    await requireLeader(this.client, within, this.#clock, this.signal)
  }

  async #join ({ listener, readyPath }: Place): Promise<void> {
    await this.#parts.membership.join(listener, readyPath)
  }

  async #refuse (cause: unknown): Promise<never> {
    const { id } = this.registration
    await this.deregister()
    throw new UnavailableError(`${id} was not registered`, (cause as Error).message, { cause })
  }

  async #drain (): Promise<void> {
    const { membership } = this.#parts
    const began = this.#clock.now()
    await drain({ withdraw: within => membership.drain(within), drain: this.#options.drain, clock: this.#clock })
    this.#left = Math.max(this.#left - (this.#clock.now() - began), 0)
  }

  async #close (): Promise<void> {
    await this.drain()
    await closeParts(this.#parts, this.#left)
  }
}

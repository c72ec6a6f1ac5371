import { createCalls, type Calls } from './calls/calls.ts'
import { systemClock, type Clock, type Random } from './clock.ts'
import { ConsulClient } from './consul/client.ts'
import { Connectivity } from './consul/connectivity.ts'
import type { ServiceInstance } from './consul/instance.ts'
import { Catalog } from './discovery/catalog.ts'
import { HybridSource } from './discovery/hybrid.ts'
import type { DiscoverQuery, InstanceSource } from './discovery/source.ts'
import { StaticSource } from './discovery/static.ts'
import { ClosedError, UnavailableError } from './errors.ts'
import { consulStatusOf } from './health/consul-status.ts'
import { HealthCheckManager } from './health/manager.ts'
import { drain } from './lifecycle/drain.ts'
import { listenerOnPort, type Listener } from './lifecycle/listener.ts'
import { Registration, type RegistrationStatus } from './lifecycle/registration.ts'
import type { Logger } from './logger.ts'
import { explainFallback, explainView, type Explanation } from './observe/explain.ts'
import { serviceIdOf } from './options.ts'
import type { ResolvedOptions } from './resolved-options.ts'

interface RegistryParts {
  readonly logger: Logger
  readonly clock?: Clock
  readonly random?: Random
}

/** Limit of one question whether the agent is back. Milliseconds. */
const probeTimeout = 1000
/** Besides those for discovery: the watches on the own service, at the agent and in the catalog. */
const ownWatches = 2

/** A service's whole Consul life: its health, its registration, the other services, and calls to them. */
export class ServiceRegistry implements AsyncDisposable {
  /** The readiness checks; plugins add their own. */
  readonly health: HealthCheckManager
  /** Consul's HTTP API, for what is not done here already. */
  readonly client: ConsulClient
  readonly #options: ResolvedOptions
  readonly #clock: Clock
  readonly #connectivity: Connectivity
  readonly #catalog: Catalog
  readonly #fallback: StaticSource
  readonly #source: InstanceSource
  readonly #calls: Calls
  readonly #leaving = new AbortController()
  readonly #newRegistration: () => Registration
  #registration: Registration
  #drained: Promise<void> | undefined
  #closed: Promise<void> | undefined
  /** When all that belongs to the end is to be over. */
  #endsBy = 0

  constructor (options: ResolvedOptions, { logger, clock = systemClock, random = Math.random }: RegistryParts) {
    const { discovery, health } = options
    this.#options = options
    this.#clock = clock
    this.client = new ConsulClient({}, {
      resolved: options, blocking: { limit: discovery.maxWatches + ownWatches, keepAlive: false }, random
    })
    const { client } = this
    const connectivity = new Connectivity({
      probe: signal => client.leader({ signal, timeout: probeTimeout }), logger, clock, random
    })
    this.#connectivity = connectivity
    this.#catalog = new Catalog(discovery, { client, connectivity, logger, clock, random })
    this.#fallback = new StaticSource(options.fallback)
    this.#source = this.#sourceOfMode()
    this.#calls = createCalls({ source: this.#source, balancer: options.balancer, calls: options.calls, random })
    this.health = healthOf(health, clock, logger)
    this.#newRegistration = () => new Registration({
      client,
      connectivity,
      readiness: () => consulStatusOf(this.health),
      follow: (name, listener) => this.#catalog.follow(name, ({ known }) => listener(known.map(({ entry }) => entry))),
      logger,
      clock,
      random
    })
    this.#registration = this.#newRegistration()
  }

  /** Aborts when the service begins to leave: for work that should end then. */
  get signal (): AbortSignal {
    return this.#leaving.signal
  }

  get registration (): RegistrationStatus {
    return this.#registration.status
  }

  /** The undici `Dispatcher` behind `fetch` and `request`. */
  get dispatcher (): Calls['dispatcher'] {
    return this.#calls.dispatcher
  }

  /** WHATWG fetch whose `http://service-name/` goes to one of the service's instances. */
  get fetch (): Calls['fetch'] {
    return this.#calls.fetch
  }

  /** undici's `request` over the same instances: several times faster than `fetch`. */
  get request (): Calls['request'] {
    return this.#calls.request
  }

  /**
   * Registers the service, and keeps it so until `deregister()`, `drain()` or `close()`. While Consul is down it goes
   * on in the background. Nothing happens in mode `static`, or without a service name.
   *
   * @returns the service id
   * @throws FST_CONSUL_UNAVAILABLE in mode `full`, if the first try fails
   * @throws FST_CONSUL_CLOSED once the service has begun to leave
   */
  async register (): Promise<string | undefined> {
    if (this.signal.aborted) throw new ClosedError('register()')
    const { service } = this.#options
    if (!service) return undefined
    return await this.registerListener(listenerOnPort(service.port))
  }

  /** @internal The same for a server that listens; `readyPath` is the ready route as mounted. */
  async registerListener (listener: Listener, readyPath = '/health/ready'): Promise<string | undefined> {
    const { service, check, mode, hostname } = this.#options
    if (!service || mode === 'static' || this.signal.aborted) return undefined
    if (this.registration.state === 'stopped') this.#registration = this.#newRegistration()
    const port = service.port === 0 ? listener.port : service.port
    const id = serviceIdOf(service, hostname, port)
    try {
      await this.#registration.start({ id, service, check, listener: { ...listener, port }, readyPath })
    } catch (cause) {
      if (mode === 'full') throw new UnavailableError(`${id} was not registered`, (cause as Error).message, { cause })
    }
    return id
  }

  /** Takes the service out of Consul and waits until it is seen to be gone, at most `drain.timeout`. */
  async deregister (): Promise<void> {
    await this.#registration.withdraw(AbortSignal.timeout(this.#options.drain.timeout))
    this.#registration.close()
  }

  /**
   * The service leaves: readiness says so, `signal` aborts, Consul forgets the service, and callers get `drain.delay`
   * to notice. Requests are served all the while. Done once, whoever asks.
   */
  drain (): Promise<void> {
    if (this.#drained === undefined) {
      this.#endsBy = this.#clock.now() + this.#options.drain.timeout
      this.#leaving.abort(new ClosedError('drain()'))
      this.#drained = drain({ registration: this.#registration, drain: this.#options.drain, clock: this.#clock })
    }
    return this.#drained
  }

  /** Takes the service out of discovery, or back in; Consul remembers it over restarts of the agent. */
  async maintenance (on: boolean, reason?: string): Promise<void> {
    const { id } = this.registration
    if (id !== undefined) await this.client.setMaintenance(id, on, reason)
  }

  /**
   * The healthy instances of a service, from memory but for the first call. The array is frozen, and the same until
   * something changes. No instance: an empty one.
   *
   * @throws FST_CONSUL_UNAVAILABLE if Consul has never answered and there is no fallback
   * @throws FST_CONSUL_INVALID_NAME
   */
  async discover (name: string, query?: DiscoverQuery): Promise<readonly ServiceInstance[]> {
    return await this.#source.discover(name, query)
  }

  /** The address of one instance, chosen by the strategy, or `null` if there is none. */
  async getServiceAddress (
    name: string, options?: Parameters<Calls['pick']>[1]
  ): Promise<{ address: string, port: number, instance: ServiceInstance } | null> {
    const instance = await this.#calls.pick(name, options)
    return instance === null ? null : { address: instance.address, port: instance.port, instance }
  }

  /** The URL of one instance, chosen by the strategy, or `null` if there is none. */
  async getServiceUrl (name: string, options?: Parameters<Calls['pick']>[1]): Promise<string | null> {
    return (await this.#calls.pick(name, options))?.url ?? null
  }

  /**
   * All services by name with their tags.
   *
   * @throws FST_CONSUL_UNAVAILABLE if Consul does not answer and there is no fallback
   */
  async listServices (): Promise<Record<string, string[]>> {
    const { mode, discovery: { consistency } } = this.#options
    if (mode === 'static' || mode === 'register') return this.#fallback.list()
    try {
      return await this.client.listServices({ consistency })
    } catch (cause) {
      if (mode === 'hybrid' && this.#fallback.size > 0) return this.#fallback.list()
      throw new UnavailableError('Consul does not list its services', (cause as Error).message, { cause })
    }
  }

  /** For every known instance of a service why it is in or out. Asks nobody. */
  explain (name: string, query: DiscoverQuery = {}): Explanation {
    const view = this.#catalog.view(name, query)
    const isFallback = this.#source === this.#fallback || view === undefined || view.snapshot === undefined
    if (isFallback) return explainFallback(name, this.#fallback.peek(name))
    return explainView(view, query, this.#clock.now())
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
    if (this.#source === this.#fallback) return
    for (const name of this.#options.discovery.preload) this.#catalog.preload(name)
  }

  /**
   * @internal Resolves when a leader is known.
   * @throws FST_CONSUL_UNAVAILABLE after `limit` milliseconds
   */
  async requireLeader (limit: number): Promise<void> {
    const deadline = this.#clock.now() + limit
    let cause: unknown
    for (let left = limit; left > 0; left = deadline - this.#clock.now()) {
      try {
        if (await this.client.leader({ timeout: left }) !== '') return
      } catch (error) {
        cause = error
      }
      await this.#clock.sleep(Math.min(100, left), this.signal, true)
    }
    const why = cause instanceof Error ? cause.message : 'it has no leader'
    throw new UnavailableError(`Consul is needed in mode "full" but was not ready within ${limit} ms: ${why}`,
      'Start its agent, correct the url option (CONSUL_URL), or use mode "hybrid", which boots without it', { cause })
  }

  async #close (): Promise<void> {
    await this.drain()
    this.#registration.close()
    this.#catalog.close()
    this.#connectivity.close()
    this.health.close()
    await this.client.close()
    const patience = new AbortController()
    const ended = this.#calls.close().finally(() => patience.abort())
    await this.#clock.sleep(this.#endsBy - this.#clock.now(), patience.signal, true).catch(() => {})
    await this.#calls.destroy()
    await ended
  }

  #sourceOfMode (): InstanceSource {
    switch (this.#options.mode) {
      case 'static':
      case 'register': return this.#fallback
      case 'hybrid': return new HybridSource(this.#catalog, this.#fallback)
      case 'full': return this.#catalog
    }
  }
}

function healthOf (options: ResolvedOptions['health'], clock: Clock, logger: Logger): HealthCheckManager {
  if (options === false) return new HealthCheckManager({ clock, logger })
  const { timeout, cacheFor, checks } = options
  const manager = new HealthCheckManager({ timeout, cacheFor, clock, logger })
  for (const check of checks) manager.add(check)
  return manager
}

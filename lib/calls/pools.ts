import { createSecureContext, type SecureContext } from 'node:tls'
import type { Endpoint } from '../balancing/endpoint.ts'
import { instanceKey } from '../discovery/source.ts'
import { InstancePool, type InstancePoolOptions } from './instance-pool.ts'
import type { Limit, Limits } from './limits.ts'
import type { Lines } from './lines.ts'

export interface PoolsOptions {
  /** Limit of making a connection, TLS included. Milliseconds; 0: none. */
  readonly connectTimeout: number
  /** Sockets to one instance. */
  readonly connections: number
  /** Certificates and keys as PEM text. */
  readonly tls: {
    readonly ca: string | undefined
    readonly cert: string | undefined
    readonly key: string | undefined
    readonly servername: string | undefined
    readonly rejectUnauthorized: boolean
  }
}

interface Parked {
  readonly pool: InstancePool
  readonly limit: Limit | undefined
}

/** For how long connections are kept of an instance that is ill: it may soon be well again. Milliseconds. */
const parkedFor = 10_000

/**
 * The connections to every instance that is called: made with the first call, closed when the instance leaves. One that
 * is ill for a moment finds them again.
 */
export class Pools {
  readonly #limits: Limits
  readonly #options: InstancePoolOptions
  readonly #pools = new Map<Endpoint, InstancePool>()
  /** Those of instances that are ill, by where they are. */
  readonly #parked = new Map<string, Parked>()
  /** Those of instances that have left, until their last request has ended. */
  readonly #leaving = new Set<InstancePool>()

  constructor ({ tls, connectTimeout, connections }: PoolsOptions, limits: Limits, lines: Lines) {
    let secureContext: SecureContext | undefined
    this.#limits = limits
    this.#options = {
      connectTimeout,
      connections,
      lines,
      servername: tls.servername,
      rejectUnauthorized: tls.rejectUnauthorized,
      limits,
      // Made once, as it parses certificates, and only if there is TLS.
      secureContext: () => (secureContext ??= createSecureContext({ ca: tls.ca, cert: tls.cert, key: tls.key }))
    }
  }

  /** How many there are, those included that are being closed. */
  get size (): number {
    return this.#all().length
  }

  /** Sockets that are connected, by service. */
  connections (): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { service, connections } of this.#all()) counts.set(service, (counts.get(service) ?? 0) + connections)
    return counts
  }

  /** Calls that wait for a connection, by service. */
  waiting (): ReadonlyMap<string, number> {
    return new Map(this.#all().map(({ service, waiting }) => [service, waiting]))
  }

  of (endpoint: Endpoint): InstancePool {
    return this.#pools.get(endpoint) ?? this.#add(endpoint)
  }

  /** Whether a request would have to wait there. */
  isBusy (endpoint: Endpoint): boolean {
    return (this.#pools.get(endpoint) ?? this.#parkedPool(endpoint))?.busy === true
  }

  /** Connections that were made there so far. */
  madeTo (endpoint: Endpoint): number {
    return this.#pools.get(endpoint)?.made ?? 0
  }

  /** The instance has left: its running requests may end. */
  drop (endpoint: Endpoint): void {
    const pool = this.#pools.get(endpoint)
    if (pool === undefined) return
    this.#pools.delete(endpoint)
    this.#end(pool)
  }

  /** The instance is ill: as if it had left, but its connections are kept for a while. */
  park (endpoint: Endpoint): void {
    const pool = this.#pools.get(endpoint)
    if (pool === undefined) return
    this.#pools.delete(endpoint)
    const place = placeOf(endpoint)
    const expire = (): void => {
      this.#parked.delete(place)
      this.#end(pool)
    }
    const limit = this.#limits.start(parkedFor, { expire })
    this.#parked.set(place, { pool, limit })
  }

  /** Resolves when the last running request has ended. */
  async close (): Promise<void> {
    await Promise.all(this.#all().map(pool => pool.close()))
  }

  /** The same at once, when no request runs any more. */
  async destroy (): Promise<void> {
    await Promise.all(this.#all().map(pool => pool.destroy()))
    this.#pools.clear()
    this.#parked.clear()
  }

  #add (endpoint: Endpoint): InstancePool {
    const pool = this.#unpark(placeOf(endpoint)) ?? new InstancePool(endpoint.instance, this.#options)
    this.#pools.set(endpoint, pool)
    return pool
  }

  #parkedPool (endpoint: Endpoint): InstancePool | undefined {
    return this.#parked.size === 0 ? undefined : this.#parked.get(placeOf(endpoint))?.pool
  }

  #unpark (place: string): InstancePool | undefined {
    const parked = this.#parked.get(place)
    parked?.limit?.stop()
    this.#parked.delete(place)
    return parked?.pool
  }

  #end (pool: InstancePool): void {
    this.#leaving.add(pool)
    pool.close().finally(() => this.#leaving.delete(pool))
  }

  #all (): InstancePool[] {
    return [...this.#leaving, ...this.#pools.values(), ...[...this.#parked.values()].map(({ pool }) => pool)]
  }
}

function placeOf ({ instance }: Endpoint): string {
  return `${instanceKey(instance)}/${instance.scheme}/${instance.address}/${instance.port}`
}

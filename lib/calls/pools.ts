import { createSecureContext, type SecureContext } from 'node:tls'
import type { Endpoint } from '../balancing/endpoint.ts'
import type { Clock } from '../clock.ts'
import { InstancePool, type InstancePoolOptions } from './instance-pool.ts'

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

/** The connections to every instance that is called: made with the first call, closed when the instance leaves. */
export class Pools {
  readonly #options: InstancePoolOptions
  readonly #pools = new Map<Endpoint, Map<string, InstancePool>>()
  /** Those of instances that have left, until their last request has ended. */
  readonly #leaving = new Set<InstancePool>()

  constructor ({ tls, connectTimeout, connections }: PoolsOptions, clock: Clock) {
    let secureContext: SecureContext | undefined
    this.#options = {
      connectTimeout,
      connections,
      servername: tls.servername,
      rejectUnauthorized: tls.rejectUnauthorized,
      clock,
      // Made once, as it parses certificates, and only if there is TLS.
      secureContext: () => (secureContext ??= createSecureContext({ ca: tls.ca, cert: tls.cert, key: tls.key }))
    }
  }

  /** How many there are, those included that are being closed. */
  get size (): number {
    return this.#all().length
  }

  of (endpoint: Endpoint, origin: string): InstancePool {
    return this.#pools.get(endpoint)?.get(origin) ?? this.#add(endpoint, origin)
  }

  /** The instance has left: its running requests may end. */
  drop (endpoint: Endpoint): void {
    const pools = this.#pools.get(endpoint)
    this.#pools.delete(endpoint)
    for (const pool of pools?.values() ?? []) this.#leave(pool)
  }

  /** Resolves when the last running request has ended. */
  async close (): Promise<void> {
    await Promise.all(this.#all().map(pool => pool.close()))
  }

  /** The same at once, when no request runs any more. */
  async destroy (): Promise<void> {
    await Promise.all(this.#all().map(pool => pool.destroy()))
    this.#pools.clear()
  }

  #add (endpoint: Endpoint, origin: string): InstancePool {
    const pools = this.#pools.get(endpoint) ?? new Map<string, InstancePool>()
    const pool = new InstancePool(origin, endpoint.instance, this.#options)
    this.#pools.set(endpoint, pools.set(origin, pool))
    return pool
  }

  #leave (pool: InstancePool): void {
    this.#leaving.add(pool)
    pool.close().finally(() => this.#leaving.delete(pool))
  }

  #all (): InstancePool[] {
    return [...this.#leaving, ...[...this.#pools.values()].flatMap(pools => [...pools.values()])]
  }
}

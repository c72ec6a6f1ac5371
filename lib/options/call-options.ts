import type { ServiceInstance } from '../consul/instance.ts'
import type { ServiceName } from '../declared-services.ts'
import type { Duration } from '../duration.ts'
import type { TlsOptions } from './tls-options.ts'

/** What a strategy of one's own is told of the call. */
export interface StrategyContext {
  /** The service that is called. */
  service: string
  /** What the caller gave as `balance.key`. */
  key: string | undefined
}

/** A strategy of one's own: returns one of the instances, at once; `undefined` or `null`: it wants none of them. */
export type StrategyFunction = (
  instances: readonly ServiceInstance[], context: StrategyContext
) => ServiceInstance | undefined | null

export type StrategyName =
  'round-robin' | 'random' | 'first' | 'least-request' | 'peak-ewma' | 'consistent-hash'

export interface BalancerOptions {
  /** Default `round-robin`. */
  strategy?: StrategyName | StrategyFunction | undefined
  /** 0 to 1: the share that an instance in `warning` gets if its two weights are equal. Default 0.1. */
  warningShare?: number | undefined
}

export interface CallsOptions {
  /** Limit of one attempt until the response headers. Default 30 s. */
  timeout?: Duration | undefined
  /** Limit of a call, all attempts together. Default none. */
  deadline?: Duration | undefined
  /** Limit of making a connection. Default 1 s. */
  connectTimeout?: Duration | undefined
  /**
   * How often a request that was sent may be sent once more, to another instance, if it is idempotent and no response
   * headers came, or 502, 503 or 504. 0 to 100; default 2.
   */
  retries?: number | undefined
  /** Bound of these repeated requests, over all calls of the last 10 s. */
  retryBudget?: {
    /** Repeated requests for each request. 0 to 1000; default 0.2, as in Finagle and Linkerd. */
    ratio?: number | undefined
    /** Repeated requests a second beside those. 0 to 1,000,000; default 10, as in Finagle and Linkerd. */
    perSecond?: number | undefined
  } | undefined
  /** Connections to one instance. Default 64. */
  connections?: number | undefined
  /** When an instance that fails is left out for a while; `false`: never. */
  outlier?: false | OutlierOptions | undefined
  /** TLS to instances. Default: the system's trust. */
  tls?: TlsOptions | undefined
  /** The only services that may be called. Default: any. */
  allow?: readonly ServiceName[] | undefined
}

/**
 * An attempt fails with a connection that cannot be made or breaks, without response headers in time, with a response
 * that stalls or cannot be read, and with 502, 503 or 504, unless the instance says that it found no instance of
 * another service. What its caller or this process is to blame for is no failure.
 */
export interface OutlierOptions {
  /** So many failures in a row, while the others' attempts succeed. Default 5, as in Envoy and Finagle. */
  consecutiveFailures?: number | undefined
  /** 0 to 1; 0: never. Or a success rate of the last 10 s under this share of the others'. Default 0.5. */
  successRate?: number | undefined
  /** How long the first time, ±20 %; twice as long each time it fails again. Default 5 s. */
  ejectionTime?: Duration | undefined
  /** How long at the most, before the ±20 %; not less than `ejectionTime`. Default 5 m, as in Envoy. */
  maxEjectionTime?: Duration | undefined
  /** 0 to 1: no more than this share of the instances, or one if that is more; never the last; 0: none. Default 0.5. */
  maxEjected?: number | undefined
}

import type { Logger } from '../logger.ts'
import type { StrategyFunction, StrategyName } from './call-options.ts'
import type { ConsulOptions, HealthCheck, MetricsRegister, UnderPressureOptions } from './types.ts'

/** Options with everything filled in, validated and deeply frozen. Durations are milliseconds. */
export interface ResolvedOptions {
  /** Origin and base path, without a slash at the end and without credentials. */
  readonly url: string
  /** The agent's unix socket; `url` is then `http://localhost`. */
  readonly socketPath: string | undefined
  /** `user:password` for basic authentication. A secret. */
  readonly auth: string | undefined
  readonly token: TokenSource | undefined
  readonly tls: ResolvedTls
  readonly datacenter: string | undefined
  readonly namespace: string | undefined
  readonly partition: string | undefined
  readonly timeout: number
  readonly mode: NonNullable<ConsulOptions['mode']>
  /** Origins by service name. A null-prototype object. */
  readonly fallback: Readonly<Record<string, readonly string[]>>
  /** `false`: turned off; `undefined`: no name was given. */
  readonly service: ResolvedService | false | undefined
  readonly check: ResolvedCheck
  readonly health: ResolvedHealth | false
  /** Hand a copy to @fastify/under-pressure: it writes into its options. */
  readonly underPressure: Readonly<UnderPressureOptions> | false
  readonly discovery: ResolvedDiscovery
  readonly balancer: {
    readonly strategy: StrategyName | StrategyFunction
    readonly warningShare: number
  }
  readonly calls: ResolvedCalls
  readonly drain: {
    readonly delay: number
    readonly timeout: number
  }
  readonly metrics: { readonly register: MetricsRegister } | false
  readonly logger: Logger | undefined
  /** This machine's, for the service id. */
  readonly hostname: string
}

/** Where the ACL token comes from. A file was readable and not empty when the options were resolved. */
export type TokenSource =
  | { readonly kind: 'value', readonly value: string }
  | { readonly kind: 'function', readonly get: () => string | Promise<string> }
  | { readonly kind: 'file', readonly path: string }

/** Certificates and keys as PEM text, as it was when the options were resolved. */
export interface ResolvedTls {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly servername: string | undefined
  readonly rejectUnauthorized: boolean
  /** The paths of what was read from files, for whoever connects later. */
  readonly files: {
    readonly ca: string | undefined
    readonly cert: string | undefined
    readonly key: string | undefined
  }
}

export interface ResolvedService {
  readonly name: string
  /** `undefined`: `serviceIdOf()` makes it once the port is known. */
  readonly id: string | undefined
  /** 0: the bound one. */
  readonly port: number
  readonly address: string | undefined
  readonly tags: readonly string[]
  /** A null-prototype object. */
  readonly meta: Readonly<Record<string, string>>
  /** `undefined`: Consul's own are left to it. */
  readonly weights: { readonly passing: number, readonly warning: number } | undefined
  readonly enableTagOverride: boolean
  /** A null-prototype object. */
  readonly taggedAddresses: Readonly<Record<string, { readonly address: string, readonly port?: number | undefined }>>
  readonly registerOn: 'listening' | 'ready'
}

export interface ResolvedCheck {
  readonly type: 'http' | 'tcp' | 'grpc' | 'ttl'
  /** `undefined`: the ready route as mounted. */
  readonly path: string | undefined
  readonly interval: number
  readonly timeout: number
  readonly deregisterAfter: number
  /** A null-prototype object. Secrets. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly tlsSkipVerify: boolean
  readonly successBeforePassing: number
  readonly failuresBeforeCritical: number
}

export interface ResolvedHealth {
  readonly readyPath: string
  readonly livePath: string
  readonly checks: readonly HealthCheck[]
  readonly timeout: number
  readonly cacheFor: number
  readonly details: 'status' | 'full' | false
}

export interface ResolvedDiscovery {
  readonly preload: readonly string[]
  readonly wait: number
  /** `undefined`: no limit. */
  readonly maxStale: number | undefined
  readonly idleAfter: number
  readonly maxWatches: number
  readonly consistency: 'stale' | 'default' | 'consistent'
  readonly passingOnly: boolean
}

export interface ResolvedCalls {
  readonly timeout: number
  /** `undefined`: none. */
  readonly deadline: number | undefined
  readonly connectTimeout: number
  readonly retries: number
  readonly retryBudget: { readonly ratio: number, readonly perSecond: number }
  readonly connections: number
  readonly outlier: false | {
    readonly consecutiveFailures: number
    readonly successRate: number
    readonly ejectionTime: number
    readonly maxEjectionTime: number
    readonly maxEjected: number
  }
  readonly tls: ResolvedTls
  /** `undefined`: any service. */
  readonly allow: readonly string[] | undefined
}

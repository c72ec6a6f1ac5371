import type { FastifyUnderPressureOptions } from '@fastify/under-pressure'
import type { ServiceName } from '../declared-services.ts'
import type { Duration } from '../duration.ts'
import type { Logger } from '../logger.ts'
import type { BalancerOptions, CallsOptions } from './call-options.ts'
import type { TlsOptions } from './tls-options.ts'

export type { Duration } from '../duration.ts'

/**
 * Everything that can be set. An explicit option goes before the environment, the environment before the default;
 * `undefined` counts as absent. Durations are milliseconds or Go durations such as `'1m30s'`.
 */
export interface ConsulOptions {
  /**
   * Address of the Consul agent: `http:`, `https:` or `unix:///path/of.sock`, with a base path if a proxy wants one;
   * `user:password@` becomes basic authentication. Default `http://127.0.0.1:8500`.
   * Environment: `CONSUL_URL`, else `CONSUL_HTTP_ADDR` (both also without a scheme, `https` then if
   * `CONSUL_HTTP_SSL` is true); `CONSUL_HTTP_AUTH`.
   */
  url?: string | undefined
  /**
   * ACL token, or a function that gives it (`''`: none) and is called for every request. Default: the agent's own.
   * Environment: `CONSUL_TOKEN`, else `CONSUL_HTTP_TOKEN`.
   */
  token?: string | (() => string | Promise<string>) | undefined
  /**
   * File with the ACL token, in the place of `token`; trimmed, and read for every request. Default none.
   * Environment: `CONSUL_HTTP_TOKEN_FILE`.
   */
  tokenFile?: string | undefined
  /**
   * TLS to Consul; needs an `https:` url. Files are read again for every new connection. Default: the system's trust.
   * Environment: `CONSUL_CACERT`, `CONSUL_CLIENT_CERT`, `CONSUL_CLIENT_KEY`, `CONSUL_TLS_SERVER_NAME`,
   * `CONSUL_HTTP_SSL_VERIFY`.
   */
  tls?: TlsOptions | undefined
  /** Default: the agent's. Environment: `CONSUL_DATACENTER`. */
  datacenter?: string | undefined
  /** Consul Enterprise. Default: the agent's. Environment: `CONSUL_NAMESPACE`. */
  namespace?: string | undefined
  /** Consul Enterprise. Default: the agent's. Environment: `CONSUL_PARTITION`. */
  partition?: string | undefined
  /** Limit of a non-blocking read. Default 5 s. Environment: `CONSUL_TIMEOUT`. */
  timeout?: Duration | undefined
  /**
   * `static`: Consul is never contacted, calls use `fallback`. `register`: registers, calls still use `fallback`.
   * `hybrid`: Consul first, then `fallback`. `full`: no fallback, and the boot fails without Consul.
   * Default `hybrid`. Environment: `CONSUL_MODE`.
   */
  mode?: 'static' | 'register' | 'hybrid' | 'full' | undefined
  /**
   * Fixed addresses by service name, each `http(s)://host[:port]`. Default none.
   * Environment: `CONSUL_FALLBACK`, as `l02-runtime=http://a:1|http://b:2,l03=http://c:3`.
   */
  fallback?: { readonly [name in ServiceName]?: string | readonly string[] } | undefined
  /** What is registered; `false`: nothing. Without a name nothing is registered either. */
  service?: false | ServiceOptions | undefined
  /** How Consul checks the registered service. */
  check?: CheckOptions | undefined
  /** Health routes and readiness checks; `false`: no routes. */
  health?: false | HealthOptions | undefined
  /**
   * Options of @fastify/under-pressure, which only measures for readiness here and sheds nothing; `false`: off.
   * Default `{ maxEventLoopDelay: 1000 }`, which the options given are added to.
   */
  underPressure?: false | UnderPressureOptions | undefined
  /** How other services are found. */
  discovery?: DiscoveryOptions | undefined
  /** Which instance a call goes to. */
  balancer?: BalancerOptions | undefined
  /** Calls to other services. */
  calls?: CallsOptions | undefined
  /** How the service leaves. */
  drain?: DrainOptions | undefined
  /** Metrics for Prometheus; needs the package prom-client. Default `false`: none. */
  metrics?: false | MetricsOptions | undefined
  /** pino or an equivalent. Default: `app.log` in Fastify, else pino at `info`. */
  logger?: Logger | undefined
}

export interface ServiceOptions {
  /** Environment: `SERVICE_NAME`. Default none: nothing is registered. */
  name?: string | undefined
  /** Unique on the agent. Default `name-host-port`. Environment: `SERVICE_ID`. */
  id?: string | undefined
  /** 0 to 65535; 0, the default, is the port that the server is bound to. Environment: `SERVICE_PORT`. */
  port?: number | undefined
  /** Host name or IP address under which others reach it. Default: found out. Environment: `SERVICE_ADDRESS`. */
  address?: string | undefined
  /** Default none. Environment: `SERVICE_TAGS`, a comma list or a JSON array. */
  tags?: readonly string[] | undefined
  /** At most 64 pairs, within Consul's limits. Default none. Environment: `SERVICE_META`, `k=v,k=v` or JSON. */
  meta?: Readonly<Record<string, string>> | undefined
  /** Share of the calls by status: passing 1 to 65535, warning 0 to 65535. Default: Consul's, 1 and 1. */
  weights?: { passing?: number | undefined, warning?: number | undefined } | undefined
  /** Others may change the tags in the catalog. Default false. */
  enableTagOverride?: boolean | undefined
  /** Further addresses by name (`lan`, `wan`). Default none. */
  taggedAddresses?: Readonly<Record<string, { address: string, port?: number | undefined }>> | undefined
  /** When to register. `ready`, for apps that another server serves, needs a `port`. Default `listening`. */
  registerOn?: 'listening' | 'ready' | undefined
}

export interface CheckOptions {
  /** Default `http`, `tcp` if `health` is `false` and there is no `path`; `ttl` in a registry without Fastify. */
  type?: 'http' | 'tcp' | 'grpc' | 'ttl' | undefined
  /** Path of an http check. Default: the ready route as mounted. */
  path?: string | undefined
  /** From 1 s. Default 10 s. Environment: `CONSUL_CHECK_INTERVAL`. */
  interval?: Duration | undefined
  /** Default 5 s. Environment: `CONSUL_CHECK_TIMEOUT`. */
  timeout?: Duration | undefined
  /**
   * Critical for that long, the service is removed by Consul. From 1 m. Default 1 m.
   * Environment: `CONSUL_CHECK_DEREGISTER_AFTER`.
   */
  deregisterAfter?: Duration | undefined
  /** Sent by an http check. Default none. */
  headers?: Readonly<Record<string, string | readonly string[]>> | undefined
  /** The agent accepts any certificate of the service. Default false. */
  tlsSkipVerify?: boolean | undefined
  /** Successes in a row before `passing`. Default 0: at once. */
  successBeforePassing?: number | undefined
  /** Failures in a row before `critical`. Default 0: at once. */
  failuresBeforeCritical?: number | undefined
}

/** One readiness check: `run` resolves, resolves to a status, or throws. */
export interface HealthCheck {
  /** Unique within the manager. */
  name: string
  /** Whether its failure means `unhealthy`, not `degraded`. Default true. */
  critical?: boolean | undefined
  /** Default: `health.timeout`. `Infinity`: none. */
  timeout?: Duration | undefined
  run (signal: AbortSignal): unknown
}

export interface HealthOptions {
  /** Default `/health/ready`. */
  readyPath?: string | undefined
  /** Default `/health/live`. */
  livePath?: string | undefined
  /** Default none. */
  checks?: readonly HealthCheck[] | undefined
  /** Limit of one check. Default 800 ms. */
  timeout?: Duration | undefined
  /** How long a result serves further callers. Default 1 s. */
  cacheFor?: Duration | undefined
  /** What the body says of each check: its status, also its message, or nothing. Default `status`. */
  details?: 'status' | 'full' | false | undefined
}

export type UnderPressureOptions = FastifyUnderPressureOptions

export interface DiscoveryOptions {
  /** Services that are watched from the start. Default none. */
  preload?: readonly ServiceName[] | undefined
  /** Length of a blocking query, at most 10 m (Consul's limit). Default 60 s. */
  wait?: Duration | undefined
  /** How old a list may become while Consul does not answer. Default: no limit. */
  maxStale?: Duration | undefined
  /** After that long without a call a watch ends. Default 10 m. */
  idleAfter?: Duration | undefined
  /** Services that are watched at a time: those that are called most. The others are polled. Default 64. */
  maxWatches?: number | undefined
  /** Consul's consistency mode. Default `stale`. */
  consistency?: 'stale' | 'default' | 'consistent' | undefined
  /** Leave out instances in `warning`. Default false. */
  passingOnly?: boolean | undefined
}

export interface DrainOptions {
  /**
   * How long requests are still served after the removal was seen. Default 250 ms.
   * Environment: `CONSUL_DRAIN_DELAY`.
   */
  delay?: Duration | undefined
  /** Limit of the whole drain. Default 2 s, or `delay` and 1.75 s if that is more. */
  timeout?: Duration | undefined
}

export interface MetricsOptions {
  /**
   * A `Registry` of prom-client, the `register` that it exports for one. Several registries of this package may share
   * it.
   */
  register: MetricsRegister
}

/** What is needed of prom-client's `Registry`, which it is. */
export interface MetricsRegister {
  registerMetric (metric: never): void
  getSingleMetric (name: string): object | undefined
}

import { goDurationOf, type Duration } from '../duration.ts'
import type { ProxyDefinition } from './mesh-definition.ts'
import type { CheckStatus } from './wire.ts'

/**
 * A check as Consul runs it. One of `http`, `tcp`, `udp`, `grpc`, `h2ping`, `ttl`, `aliasService`, `aliasNode`, `args`
 * (with `dockerContainerId` or not) and `osService` says of which kind it is. Numbers are milliseconds.
 *
 * Source: https://developer.hashicorp.com/consul/docs/reference/service/health-check
 */
export interface CheckDefinition {
  checkId?: string
  name?: string
  notes?: string
  /** The status before the first run. Consul's default: `critical`. */
  status?: CheckStatus
  http?: string
  method?: string
  header?: Readonly<Record<string, readonly string[]>>
  body?: string
  disableRedirects?: boolean
  tcp?: string
  tcpUseTls?: boolean
  udp?: string
  grpc?: string
  grpcUseTls?: boolean
  h2ping?: string
  h2pingUseTls?: boolean
  tlsServerName?: string
  tlsSkipVerify?: boolean
  ttl?: Duration
  aliasService?: string
  aliasNode?: string
  args?: readonly string[]
  dockerContainerId?: string
  shell?: string
  osService?: string
  /** Bytes of a script's output that are kept. Consul's default: 4096. */
  outputMaxSize?: number
  interval?: Duration
  timeout?: Duration
  successBeforePassing?: number
  failuresBeforeWarning?: number
  failuresBeforeCritical?: number
  /** Consul removes the service after it was critical for this long; at least one minute. */
  deregisterCriticalServiceAfter?: Duration
}

/**
 * A service as an agent registers it. Without `check` and `checks` it has none and counts as passing for ever.
 *
 * Source: https://developer.hashicorp.com/consul/api-docs/agent/service#register-service
 */
export interface ServiceDefinition {
  name: string
  /** Default: the name. */
  id?: string
  /** Default: the agent's address. */
  address?: string
  port?: number
  /** In the place of a port: the unix socket that it listens on, for Consul 1.10 and later. */
  socketPath?: string
  tags?: readonly string[]
  meta?: Readonly<Record<string, string>>
  weights?: { passing: number, warning: number }
  enableTagOverride?: boolean
  taggedAddresses?: Readonly<Record<string, { address: string, port?: number }>>
  check?: CheckDefinition
  checks?: readonly CheckDefinition[]
  /** Default: an ordinary service. */
  kind?: 'connect-proxy' | 'mesh-gateway' | 'terminating-gateway' | 'ingress-gateway' | 'api-gateway'
  /** Of a service that is a proxy. */
  proxy?: ProxyDefinition
  connect?: ConnectDefinition
}

/** A service's place in Consul's service mesh. */
export interface ConnectDefinition {
  /** It speaks the mesh's TLS by itself. */
  native?: boolean
  /** Its proxy; `{}` leaves all of it to Consul. */
  sidecarService?: Partial<ServiceDefinition>
}

const wireNames: Readonly<Record<string, string>> = {
  id: 'ID',
  destinationServiceId: 'DestinationServiceID',
  checkId: 'CheckID',
  http: 'HTTP',
  tcp: 'TCP',
  tcpUseTls: 'TCPUseTLS',
  udp: 'UDP',
  grpc: 'GRPC',
  grpcUseTls: 'GRPCUseTLS',
  h2ping: 'H2PING',
  h2pingUseTls: 'H2PingUseTLS',
  tlsServerName: 'TLSServerName',
  tlsSkipVerify: 'TLSSkipVerify',
  ttl: 'TTL',
  dockerContainerId: 'DockerContainerID',
  osService: 'OSService'
}

const durations = new Set(['ttl', 'interval', 'timeout', 'deregisterCriticalServiceAfter'])

/** The body of `PUT /v1/agent/service/register`. */
export function wireDefinition (definition: Partial<ServiceDefinition>): Record<string, unknown> {
  const { weights, taggedAddresses, check, checks, proxy, connect, ...plain } = definition
  return {
    ...wired(plain),
    ...(weights && { Weights: wired(weights) }),
    ...(taggedAddresses && {
      TaggedAddresses: Object.fromEntries(
        Object.entries(taggedAddresses).map(([name, address]) => [name, wired(address)]))
    }),
    ...(check && { Check: wired(check) }),
    ...(checks && { Checks: checks.map(wired) }),
    ...(proxy && { Proxy: wiredProxy(proxy) }),
    ...(connect && { Connect: wiredConnect(connect) })
  }
}

function wiredProxy ({ upstreams, ...plain }: ProxyDefinition): Record<string, unknown> {
  return { ...wired(plain), ...(upstreams && { Upstreams: upstreams.map(wired) }) }
}

function wiredConnect ({ sidecarService, ...plain }: ConnectDefinition): Record<string, unknown> {
  return { ...wired(plain), ...(sidecarService && { SidecarService: wireDefinition(sidecarService) }) }
}

function wired (fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [
      wireNames[key] ?? key[0]!.toUpperCase() + key.slice(1),
      durations.has(key) && typeof value === 'number' ? goDurationOf(value) : value
    ]))
}

import { goDurationOf, type Duration } from '../duration.ts'
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
  tags?: readonly string[]
  meta?: Readonly<Record<string, string>>
  weights?: { passing: number, warning: number }
  enableTagOverride?: boolean
  taggedAddresses?: Readonly<Record<string, { address: string, port?: number }>>
  check?: CheckDefinition
  checks?: readonly CheckDefinition[]
}

const wireNames: Readonly<Record<string, string>> = {
  id: 'ID',
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
export function wireDefinition (definition: ServiceDefinition): Record<string, unknown> {
  const { weights, taggedAddresses, check, checks, ...plain } = definition
  return {
    ...wired(plain),
    ...(weights && { Weights: wired(weights) }),
    ...(taggedAddresses && {
      TaggedAddresses: Object.fromEntries(
        Object.entries(taggedAddresses).map(([name, address]) => [name, wired(address)]))
    }),
    ...(check && { Check: wired(check) }),
    ...(checks && { Checks: checks.map(wired) })
  }
}

function wired (fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [
      wireNames[key] ?? key[0]!.toUpperCase() + key.slice(1),
      durations.has(key) && typeof value === 'number' ? goDurationOf(value) : value
    ]))
}

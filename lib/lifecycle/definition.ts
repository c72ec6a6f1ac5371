import { consulCheckHeader } from '../check-header.ts'
import { maintenanceIdOf } from '../consul/health-entry.ts'
import type { CheckDefinition, ServiceDefinition } from '../consul/service-definition.ts'
import type { CheckStatus } from '../consul/wire.ts'
import { hostPort } from '../host-port.ts'
import type { ResolvedCheck, ResolvedService } from '../options/resolved.ts'
import type { PublishedAddress } from './address.ts'
import type { Listener } from './listener.ts'

/** All that a registration is made of. */
export interface DefinitionParts {
  readonly id: string
  readonly service: ResolvedService
  readonly check: ResolvedCheck
  readonly listener: Listener
  readonly published: PublishedAddress
  /** The ready route as mounted. */
  readonly readyPath: string
}

/**
 * What is registered: the service with one check, which starts with a status of our own.
 *
 * @param maintenance the reason of a maintenance to begin in. To Consul that is a check: written together with the
 * service, there is no moment at which this can be found
 */
export function definitionOf (
  parts: DefinitionParts, checkId: string, status: CheckStatus, maintenance?: string
): ServiceDefinition {
  const check = { ...checkOf(parts), checkId, name: `Readiness of ${parts.service.name}`, status }
  const checks = maintenance === undefined ? {} : { checks: [maintenanceCheckOf(parts.id, maintenance)] }
  return { ...uncheckedDefinitionOf(parts), check, ...checks }
}

/** The service without a check: Consul takes it for healthy as long as its node lives. */
export function uncheckedDefinitionOf (
  { id, service, listener, published }: Omit<DefinitionParts, 'check' | 'readyPath'>
): ServiceDefinition {
  return {
    id,
    name: service.name,
    address: published.address,
    port: listener.port,
    tags: service.tags,
    meta: listener.scheme === 'https' ? { scheme: 'https', ...service.meta } : service.meta,
    ...(service.weights && { weights: service.weights }),
    enableTagOverride: service.enableTagOverride,
    taggedAddresses: withoutUndefined(service.taggedAddresses)
  }
}

/** The type of check that will be registered: Consul's http check cannot speak HTTP/2 without TLS. */
export function checkTypeOf ({ check, listener }: DefinitionParts): ResolvedCheck['type'] {
  return check.type === 'http' && !listener.http1 ? 'tcp' : check.type
}

/** Where Consul's check goes to, for logs. */
export function checkTargetOf (parts: DefinitionParts): string {
  const { http, tcp, grpc, ttl } = checkOf(parts)
  return http ?? tcp ?? grpc ?? `TTL of ${ttl} ms`
}

function checkOf (parts: DefinitionParts): CheckDefinition {
  const { check, listener: { scheme, port }, published: { checkHost }, readyPath } = parts
  const host = hostPort(checkHost, port)
  const removal = { deregisterCriticalServiceAfter: check.deregisterAfter }
  const probing = {
    ...removal,
    interval: check.interval,
    timeout: check.timeout,
    ...(check.successBeforePassing > 0 && { successBeforePassing: check.successBeforePassing }),
    ...(check.failuresBeforeCritical > 0 && { failuresBeforeCritical: check.failuresBeforeCritical })
  }
  switch (checkTypeOf(parts)) {
    case 'ttl': return { ttl: ttlOf(check), ...removal }
    case 'tcp': return { tcp: host, ...probing }
    case 'grpc': return { grpc: host, grpcUseTls: scheme === 'https', tlsSkipVerify: check.tlsSkipVerify, ...probing }
    case 'http': return {
      http: `${scheme}://${host}${check.path ?? readyPath}`,
      header: { ...check.headers, [consulCheckHeader.name]: [consulCheckHeader.value] },
      tlsSkipVerify: check.tlsSkipVerify,
      ...probing
    }
  }
}

/** As the agent makes it, but of a type that can be registered. Nothing reports to it, and it outlives the service. */
function maintenanceCheckOf (id: string, notes: string): CheckDefinition {
  return {
    checkId: maintenanceIdOf(id), name: 'Service Maintenance Mode', notes, ttl: '87600h', status: 'critical'
  }
}

/** A heartbeat every `check.interval` is three times as fast as needed: one may be late, one may be lost. */
function ttlOf ({ interval }: ResolvedCheck): number {
  return 3 * interval
}

function withoutUndefined (
  addresses: ResolvedService['taggedAddresses']
): NonNullable<ServiceDefinition['taggedAddresses']> {
  return Object.fromEntries(Object.entries(addresses).map(([name, { address, port }]) =>
    [name, port === undefined ? { address } : { address, port }]))
}

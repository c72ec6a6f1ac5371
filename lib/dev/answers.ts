import { createHash } from 'node:crypto'
import type { Check, Service } from './records.ts'
import type { Services } from './services.ts'

/** The JSON that is answered, in Consul's spelling: that of its part which the clients of this package read. */

export interface Node {
  readonly name: string
  readonly address: string
  readonly datacenter: string
}

export function agentServiceOf (service: Service): Record<string, unknown> {
  const { id, name, tags, meta, address, port, weights, enableTagOverride, taggedAddresses } = service
  return {
    ID: id,
    Service: name,
    Tags: tags,
    Meta: meta,
    Port: port,
    Address: address,
    ...(Object.keys(taggedAddresses).length > 0 && { TaggedAddresses: taggedAddresses }),
    Weights: weights,
    EnableTagOverride: enableTagOverride
  }
}

/** Of what a service is, not of what its checks say. */
export function hashOf (service: Service): string {
  return createHash('sha256').update(JSON.stringify(agentServiceOf(service))).digest('hex').slice(0, 16)
}

/** A check as the agent itself knows it. */
export function agentCheckOf (check: Check, services: Services, node: Node): Record<string, unknown> {
  const { definition: { id, name, notes, probe }, serviceId, status, output } = check
  const service = services.get(serviceId)
  return {
    Node: node.name,
    CheckID: id,
    Name: name,
    Status: status,
    Notes: notes,
    Output: output,
    ServiceID: serviceId,
    ServiceName: service?.name ?? '',
    ServiceTags: service?.tags ?? [],
    Type: probe?.type ?? 'maintenance',
    Definition: {}
  }
}

/** An element of `/v1/health/service/:name`. */
export function healthEntryOf (service: Service, services: Services, node: Node): Record<string, unknown> {
  const checks = services.checks.of(service.id)
    .map(check => ({ ...agentCheckOf(check, services, node), Output: check.listedOutput }))
  return {
    Node: { Node: node.name, Address: node.address, Datacenter: node.datacenter, Meta: {} },
    Service: agentServiceOf(service),
    Checks: [nodeCheckOf(node), ...checks]
  }
}

/** An element of `/v1/catalog/service/:name`. */
export function catalogEntryOf (service: Service, node: Node): Record<string, unknown> {
  const plain = Object.entries(agentServiceOf(service))
    .map(([key, value]) => [key === 'Service' ? 'ServiceName' : `Service${key}`, value])
  return { Node: node.name, Address: node.address, Datacenter: node.datacenter, ...Object.fromEntries(plain) }
}

function nodeCheckOf (node: Node): Record<string, unknown> {
  return {
    Node: node.name,
    CheckID: 'serfHealth',
    Name: 'Serf Health Status',
    Status: 'passing',
    Notes: '',
    Output: 'Agent alive and reachable',
    ServiceID: '',
    ServiceName: '',
    ServiceTags: [],
    Type: '',
    Definition: {}
  }
}

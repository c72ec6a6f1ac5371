import { isObject } from './answer.ts'
import { ServiceInstance } from './instance.ts'
import type { WireCheck, WireHealthEntry } from './wire.ts'

/** What Consul holds of an instance, callable or not. */
export type EntryStatus = 'passing' | 'warning' | 'critical' | 'maintenance'

/** The worst of all checks, the node's included; an operator's maintenance above everything. */
export function statusOf (checks: readonly WireCheck[]): EntryStatus {
  let status: EntryStatus = 'passing'
  for (const check of checks) {
    if (isMaintenance(check)) return 'maintenance'
    if (check.Status === 'critical') status = 'critical'
    else if (check.Status === 'warning' && status === 'passing') status = 'warning'
  }
  return status
}

/** Maintenance is a critical check with a reserved id: https://developer.hashicorp.com/consul/commands/maint */
export function isMaintenance ({ CheckID: id }: WireCheck): boolean {
  return id === '_node_maintenance' || id.startsWith('_service_maintenance:')
}

/** Whether it is a list of what is read here: more is not looked at before it is used. */
export function isHealthAnswer (value: unknown): boolean {
  return Array.isArray(value) && value.every(entry =>
    isObject(entry) && isObject(entry['Node']) && isObject(entry['Service']) && Array.isArray(entry['Checks']))
}

export function instanceOf (
  { Node: node, Service: service }: WireHealthEntry, status: 'passing' | 'warning', datacenter: string
): ServiceInstance {
  return new ServiceInstance({
    id: service.ID,
    name: service.Service,
    address: service.Address === '' ? node.Address : service.Address,
    port: service.Port ?? 0,
    tags: Object.freeze([...service.Tags ?? []]),
    meta: Object.freeze(Object.assign(Object.create(null), service.Meta)),
    status,
    weights: Object.freeze({ passing: service.Weights?.Passing ?? 1, warning: service.Weights?.Warning ?? 1 }),
    scheme: service.Meta?.['scheme'] === 'https' ? 'https' : 'http',
    node: node.Node,
    datacenter: node.Datacenter ?? datacenter
  })
}

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

const serviceMaintenance = '_service_maintenance:'

/** The id of the check that a service's maintenance is. */
export function maintenanceIdOf (serviceId: string): string {
  return serviceMaintenance + serviceId
}

/** Maintenance is a critical check with a reserved id: https://developer.hashicorp.com/consul/commands/maint */
export function isMaintenance ({ CheckID: id }: WireCheck): boolean {
  return id === '_node_maintenance' || id.startsWith(serviceMaintenance)
}

/** Whether it is a list of what is read here: more is not looked at before it is used. */
export function isHealthAnswer (value: unknown): boolean {
  return Array.isArray(value) && value.every(entry =>
    isObject(entry) && isObject(entry['Node']) && isObject(entry['Service']) && Array.isArray(entry['Checks']))
}

/** The service's own, else the node's. */
export function addressOf ({ Node: node, Service: service }: WireHealthEntry): string {
  return service.Address === '' ? node.Address : service.Address
}

export function instanceOf (
  entry: WireHealthEntry, status: 'passing' | 'warning', datacenter: string
): ServiceInstance {
  const { Node: node, Service: service } = entry
  return new ServiceInstance({
    id: service.ID,
    name: service.Service,
    address: addressOf(entry),
    port: service.Port ?? 0,
    tags: Object.freeze([...service.Tags ?? []]),
    meta: Object.freeze(Object.setPrototypeOf({ ...service.Meta }, null)),
    status,
    weights: Object.freeze({ passing: service.Weights?.Passing ?? 1, warning: service.Weights?.Warning ?? 1 }),
    scheme: service.Meta?.['scheme'] === 'https' ? 'https' : 'http',
    node: node.Node,
    datacenter: node.Datacenter ?? datacenter
  })
}

/** Whether an instance that was made of an entry of the same id is still what Consul says, its status aside. */
export function isStill (instance: ServiceInstance, entry: WireHealthEntry): boolean {
  const { Port: port = 0, Tags: tags, Meta: meta, Weights: weights } = entry.Service
  return instance.address === addressOf(entry) &&
    instance.port === port &&
    instance.weights.passing === (weights?.Passing ?? 1) &&
    instance.weights.warning === (weights?.Warning ?? 1) &&
    isSameList(instance.tags, tags ?? []) &&
    isSameMap(instance.meta, meta ?? {})
}

/** Loops, as this is done for each of thousands of instances at every change of one of them. */
function isSameList (one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false
  return true
}

function isSameMap (one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(one)
  if (keys.length !== Object.keys(other).length) return false
  for (const key of keys) if (one[key] !== other[key]) return false
  return true
}

import { instanceOf, statusOf, type EntryStatus } from '../consul/health-entry.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import type { WireCheck, WireHealthEntry } from '../consul/wire.ts'
import { instanceKey, type DiscoverQuery } from './source.ts'

/** An instance as Consul lists it, callable or not. */
export interface KnownInstance {
  readonly id: string
  readonly node: string
  readonly status: EntryStatus
  /** Set if it may be called. */
  readonly instance: ServiceInstance | undefined
  /** As Consul sent it. */
  readonly entry: WireHealthEntry
}

/** Everything known of a service at one moment. */
export interface ServiceSnapshot {
  readonly known: readonly KnownInstance[]
  /** Those that may be called. The same array as before if none of them changed. */
  readonly healthy: readonly ServiceInstance[]
}

export const nothingKnown: ServiceSnapshot = Object.freeze({ known: Object.freeze([]), healthy: Object.freeze([]) })

/** The next snapshot. What did not change keeps its identity: instances, and the list of the healthy ones. */
export function nextSnapshot (
  previous: ServiceSnapshot, entries: readonly WireHealthEntry[], datacenter: string
): ServiceSnapshot {
  const before = new Map(previous.known.map(known => [keyOf(known.entry), known]))
  const known = entries.map(entry => knownInstance(entry, before.get(keyOf(entry)), datacenter))
  const healthy = known.flatMap(({ instance }) => instance ?? [])
  return Object.freeze({
    known: Object.freeze(known),
    healthy: sameElements(previous.healthy, healthy) ? previous.healthy : Object.freeze(healthy)
  })
}

/** The healthy instances of `before` that are none in `after`. */
export function departed (before: ServiceSnapshot, after: ServiceSnapshot): readonly ServiceInstance[] {
  if (before.healthy === after.healthy) return []
  const staying = new Set(after.healthy.map(instanceKey))
  return before.healthy.filter(instance => !staying.has(instanceKey(instance)))
}

/** Whether an instance is what a query asks for in memory: tags and status. */
export function matches (instance: ServiceInstance, { tag, tags, passingOnly }: DiscoverQuery): boolean {
  return (tag === undefined || instance.tags.includes(tag)) &&
    (tags === undefined || tags.every(each => instance.tags.includes(each))) &&
    (passingOnly !== true || instance.status === 'passing')
}

export function sameElements<T> (one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((element, index) => element === other[index])
}

function knownInstance (
  entry: WireHealthEntry, before: KnownInstance | undefined, datacenter: string
): KnownInstance {
  const status = statusOf(entry.Checks)
  const instance = status === 'passing' || status === 'warning'
    ? unchanged(before?.instance, instanceOf(entry, status, datacenter))
    : undefined
  return { id: entry.Service.ID, node: entry.Node.Node, status, instance, entry }
}

function unchanged (before: ServiceInstance | undefined, now: ServiceInstance): ServiceInstance {
  return before !== undefined && isSame(before, now) ? before : now
}

function isSame (one: ServiceInstance, other: ServiceInstance): boolean {
  return one.address === other.address &&
    one.port === other.port &&
    one.status === other.status &&
    one.weights.passing === other.weights.passing &&
    one.weights.warning === other.weights.warning &&
    one.datacenter === other.datacenter &&
    sameElements(one.tags, other.tags) &&
    sameElements(Object.entries(one.meta).flat(), Object.entries(other.meta).flat())
}

function keyOf ({ Node: node, Service: service }: WireHealthEntry): string {
  return `${node.Node}/${service.ID}`
}

/** The checks that keep an instance from being passing. */
export function failingChecks ({ entry }: KnownInstance): readonly WireCheck[] {
  return entry.Checks.filter(check => check.Status !== 'passing')
}

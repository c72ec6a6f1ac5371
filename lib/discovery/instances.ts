import { instanceOf, statusOf, type EntryStatus } from '../consul/health-entry.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import type { WireCheck, WireHealthEntry, WireService } from '../consul/wire.ts'
import type { Held } from './guard.ts'
import { instanceKey, type DiscoverQuery } from './source.ts'

/** An instance as Consul lists it, or listed it last, callable or not. */
export interface KnownInstance {
  /** The same over every refresh. */
  readonly key: string
  readonly id: string
  readonly node: string
  readonly status: EntryStatus
  /** Set if it may be called. */
  readonly instance: ServiceInstance | undefined
  /** As Consul sent it. */
  readonly entry: WireHealthEntry
  /** Whether the last answer lists it. */
  readonly listed: boolean
  /** Set if it is kept as it was, whatever the last answer says of it. */
  readonly held: Held | undefined
}

/** Everything known of a service at one moment. */
export interface ServiceSnapshot {
  readonly known: readonly KnownInstance[]
  /** Those that may be called. The same array as before if none of them changed. */
  readonly healthy: readonly ServiceInstance[]
}

export const nothingKnown: ServiceSnapshot = Object.freeze({ known: Object.freeze([]), healthy: Object.freeze([]) })

/**
 * The next snapshot. What did not change keeps its identity: instances, and the list of the healthy ones.
 *
 * @param held those that stay as they were, by key
 */
export function nextSnapshot (
  previous: ServiceSnapshot,
  entries: readonly WireHealthEntry[],
  datacenter: string,
  held: ReadonlyMap<string, Held> = new Map()
): ServiceSnapshot {
  const before = partnerIn(previous.known, ({ entry }) => entry)
  const listed = entries.map((entry, index) => knownInstance(entry, before(entry, index), datacenter, held))
  const known = held.size === 0 ? listed : [...listed, ...unlisted(previous, listed, held)]
  const healthy = known.map(({ instance }) => instance).filter(instance => instance !== undefined)
  return Object.freeze({
    known: Object.freeze(known),
    healthy: sameElements(previous.healthy, healthy) ? previous.healthy : Object.freeze(healthy)
  })
}

/** Which instances an answer takes away: those that it does not list, and those whose checks are yet to run again. */
export function lostKeys (previous: ServiceSnapshot, entries: readonly WireHealthEntry[]): string[] {
  const now = partnerIn(entries, entry => entry)
  return previous.known.filter(({ instance, entry: before }, index) => {
    const entry = now(before, index)
    return entry === undefined || (instance !== undefined && isUnchecked(entry))
  }).map(({ key }) => key)
}

/** Those of the kept ones that were still listed, and now are not: that is news of them. */
export function removedKeys (previous: ServiceSnapshot, entries: readonly WireHealthEntry[]): string[] {
  const kept = previous.known.filter(({ held, listed }) => held !== undefined && listed)
  if (kept.length === 0) return []
  const listed = new Set(entries.map(keyOf))
  return kept.filter(({ key }) => !listed.has(key)).map(({ key }) => key)
}

/**
 * An agent that was restarted with its data says critical of all that it checks itself, without any output, until it
 * has run the check: at the next interval. The status of a TTL check it remembers.
 */
export function isUnchecked ({ Checks: checks }: WireHealthEntry): boolean {
  return statusOf(checks) === 'critical' &&
    checks.every(({ Status: status, Output: output, Type: type = '' }) =>
      status !== 'critical' || (output === '' && type !== '' && type !== 'ttl'))
}

/** The healthy instances of `before` that are none in `after`. */
export function departed (before: ServiceSnapshot, after: ServiceSnapshot): readonly ServiceInstance[] {
  if (before.healthy === after.healthy) return []
  // Most are the same objects: only of the others the key says more.
  const staying = new Set(after.healthy)
  const others = before.healthy.filter(instance => !staying.has(instance))
  if (others.length === 0) return others
  const known = new Set(before.healthy)
  const changed = new Set(after.healthy.filter(instance => !known.has(instance)).map(instanceKey))
  return others.filter(instance => !changed.has(instanceKey(instance)))
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

function unlisted (
  previous: ServiceSnapshot, listed: readonly KnownInstance[], held: ReadonlyMap<string, Held>
): KnownInstance[] {
  const keys = new Set(listed.map(({ key }) => key))
  return previous.known.filter(({ key }) => held.has(key) && !keys.has(key))
    .map(known => ({ ...known, listed: false, held: held.get(known.key) }))
}

function knownInstance (
  entry: WireHealthEntry, before: KnownInstance | undefined, datacenter: string, allHeld: ReadonlyMap<string, Held>
): KnownInstance {
  const { Service: { ID: id }, Node: { Node: node } } = entry
  const key = before?.key ?? keyOf(entry)
  const held = allHeld.size === 0 ? undefined : allHeld.get(key)
  const status = statusOf(entry.Checks)
  const listedAs = status === 'passing' || status === 'warning' ? status : undefined
  const callableAs = held === undefined ? listedAs : before?.instance?.status
  const instance = callableAs && (unchanged(before, entry, callableAs) ?? instanceOf(entry, callableAs, datacenter))
  return { key, id, node, status, instance, entry, listed: true, held }
}

/** The instance of before, if it is still the same: most are, so that nothing is built for them. */
function unchanged (
  before: KnownInstance | undefined, entry: WireHealthEntry, status: 'passing' | 'warning'
): ServiceInstance | undefined {
  if (before?.instance?.status !== status || before.entry.Node.Address !== entry.Node.Address) return undefined
  return isSame(before.entry.Service, entry.Service) ? before.instance : undefined
}

function isSame (one: WireService, other: WireService): boolean {
  return one.Address === other.Address &&
    one.Port === other.Port &&
    one.Weights?.Passing === other.Weights?.Passing &&
    one.Weights?.Warning === other.Weights?.Warning &&
    sameElements(one.Tags ?? [], other.Tags ?? []) &&
    sameMap(one.Meta ?? {}, other.Meta ?? {})
}

function sameMap (one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(one)
  return keys.length === Object.keys(other).length && keys.every(key => one[key] === other[key])
}

/**
 * Finds what belongs to an entry in another list: at the same place or next to it, as Consul keeps an order, else by
 * its key.
 */
function partnerIn<T> (
  list: readonly T[], entryOf: (element: T) => WireHealthEntry
): (entry: WireHealthEntry, index: number) => T | undefined {
  let shift = 0
  let byKey: ReadonlyMap<string, T> | undefined
  return (entry, index) => {
    for (const place of [shift, shift + 1, shift - 1]) {
      const element = list[index + place]
      if (element === undefined || !isSameOne(entryOf(element), entry)) continue
      shift = place
      return element
    }
    byKey ??= new Map(list.map(element => [keyOf(entryOf(element)), element]))
    return byKey.get(keyOf(entry))
  }
}

function isSameOne (one: WireHealthEntry, other: WireHealthEntry): boolean {
  return one.Service.ID === other.Service.ID && one.Node.Node === other.Node.Node
}

/** The key of an entry: an id is unique on its node. */
export function keyOf ({ Node: node, Service: service }: WireHealthEntry): string {
  return `${node.Node}/${service.ID}`
}

/** The checks that keep an instance from being passing. */
export function failingChecks ({ entry }: KnownInstance): readonly WireCheck[] {
  return entry.Checks.filter(check => check.Status !== 'passing')
}

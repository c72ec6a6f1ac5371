import { addressOf, instanceOf, isStill, statusOf, type EntryStatus } from '../consul/health-entry.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import type { WireCheck, WireHealthEntry } from '../consul/wire.ts'
import { placesIn } from '../in-step.ts'
import type { Held } from './guard.ts'
import type { DiscoverQuery } from './source.ts'

/** An instance among those of its service: an id is unique on its node. */
interface Identity {
  readonly id: string
  readonly node: string
}

/** An instance as Consul lists it, or listed it last, callable or not. Of what Consul sends nothing else is kept. */
export interface KnownInstance extends Identity {
  readonly address: string
  readonly port: number
  readonly status: EntryStatus
  /** The checks that keep it from being passing. */
  readonly failing: readonly WireCheck[]
  /** Set if it may be called. */
  readonly instance: ServiceInstance | undefined
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
 * What an answer lists. Most are passing as before: they stay the same objects. One whose checks are yet to run again
 * comes with its instance: `nextSnapshot()` decides whether that may be called still.
 */
export function listedIn (
  entries: readonly WireHealthEntry[], { known }: ServiceSnapshot, datacenter: string
): readonly KnownInstance[] {
  const placeOf = placesIn<Identity>(known, isSameOne, keyOf)
  return entries.map(entry => knownInstance(entry, known[placeOf(identityOf(entry)) ?? -1], datacenter))
}

/**
 * The next snapshot. What did not change keeps its identity: instances, and the list of the healthy ones.
 *
 * @param held those that stay as they were, by key
 */
export function nextSnapshot (
  previous: ServiceSnapshot, listed: readonly KnownInstance[], held: ReadonlyMap<string, Held>
): ServiceSnapshot {
  const decided = listed.map(known => isUnchecked(known) ? decide(known, held.get(keyOf(known))) : known)
  const known = held.size === 0 ? decided : [...decided, ...unlisted(previous, listed, held)]
  const healthy = known.map(({ instance }) => instance).filter(instance => instance !== undefined)
  return Object.freeze({
    known: Object.freeze(known),
    healthy: sameElements(previous.healthy, healthy) ? previous.healthy : Object.freeze(healthy)
  })
}

/** Which instances an answer takes away: those that it does not list, and those whose checks are yet to run again. */
export function lostKeys (previous: ServiceSnapshot, listed: readonly KnownInstance[]): string[] {
  return [...missingIn(listed, previous.known), ...listed.filter(isUnchecked)].map(keyOf)
}

/** Those of the kept ones that were still listed, and now are not: that is news of them. */
export function removedKeys (previous: ServiceSnapshot, listed: readonly KnownInstance[]): string[] {
  return missingIn(listed, previous.known.filter(known => known.held !== undefined && known.listed)).map(keyOf)
}

/** The healthy instances of `before` that are none in `after`. */
export function departed (before: ServiceSnapshot, after: ServiceSnapshot): readonly ServiceInstance[] {
  if (before.healthy === after.healthy) return []
  const placeOf = placesIn<Identity>(after.known, isSameOne, keyOf)
  return before.known
    .filter(one => after.known[placeOf(one) ?? -1]?.instance === undefined)
    .map(({ instance }) => instance).filter(instance => instance !== undefined)
}

/** Critical, and yet with an instance: its checks are to run again. */
export function isUnchecked ({ status, instance }: KnownInstance): boolean {
  return status === 'critical' && instance !== undefined
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

export function keyOf ({ node, id }: Identity): string {
  return `${node}/${id}`
}

function knownInstance (
  entry: WireHealthEntry, before: KnownInstance | undefined, datacenter: string
): KnownInstance {
  const { Node: { Node: node }, Service: { ID: id, Port: port = 0 } } = entry
  const status = statusOf(entry.Checks)
  const unchanged = before?.instance !== undefined && isStill(before.instance, entry) ? before.instance : undefined
  if (before !== undefined && unchanged !== undefined && isPassing(before) && status === 'passing') return before
  const failing = entry.Checks.filter(({ Status: status }) => status !== 'passing')
  const callableAs = status === 'critical' && haveNotRun(failing) ? before?.instance?.status : callableStatus(status)
  return {
    id,
    node,
    address: addressOf(entry),
    port,
    status,
    failing,
    instance: callableAs && (unchanged?.status === callableAs ? unchanged : instanceOf(entry, callableAs, datacenter)),
    listed: true,
    held: undefined
  }
}

/** Whether it is listed as passing, and was so without being kept. */
function isPassing ({ status, listed, held }: KnownInstance): boolean {
  return status === 'passing' && listed && held === undefined
}

function callableStatus (status: EntryStatus): 'passing' | 'warning' | undefined {
  return status === 'passing' || status === 'warning' ? status : undefined
}

/**
 * An agent that was restarted with its data says critical of all that it checks itself, without any output, until it
 * has run the check: at the next interval. The status of a TTL check it remembers.
 */
function haveNotRun (failing: readonly WireCheck[]): boolean {
  return failing.every(({ Status: status, Output: output, Type: type = '' }) =>
    status !== 'critical' || (output === '' && type !== '' && type !== 'ttl'))
}

function decide (unchecked: KnownInstance, held: Held | undefined): KnownInstance {
  return held === undefined ? { ...unchecked, held, instance: undefined } : { ...unchecked, held }
}

function unlisted (
  previous: ServiceSnapshot, listed: readonly KnownInstance[], held: ReadonlyMap<string, Held>
): KnownInstance[] {
  return missingIn(listed, previous.known).filter(known => held.has(keyOf(known)))
    .map(known => ({ ...known, listed: false, held: held.get(keyOf(known)) }))
}

function missingIn<T extends Identity> (list: readonly Identity[], sought: readonly T[]): T[] {
  const placeOf = placesIn(list, isSameOne, keyOf)
  return sought.filter(one => placeOf(one) === undefined)
}

function isSameOne (one: Identity, other: Identity): boolean {
  return one.id === other.id && one.node === other.node
}

function identityOf ({ Service: { ID: id }, Node: { Node: node } }: WireHealthEntry): Identity {
  return { id, node }
}

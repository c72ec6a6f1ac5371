import type { Answer } from '../consul/wire.ts'
import { indexOf } from './index-rule.ts'

/**
 * Why an answer that lacks instances does not count at once:
 *
 * - `filtered`: the token sees only a part, Consul says (1.11 and later do)
 * - `unmoved`: the index is the one of the answer before, so nothing has changed, and yet instances are missing: what a
 *   narrowed token looks like to versions that do not say so. Some of these do not move it either when an id goes over
 *   to another service
 * - `back`: the index is a lower one: an agent restarted empty, a restored snapshot
 * - `disrupted`: Consul could not be asked since the answer before, or until a few seconds ago: its agent may have been
 *   restarted
 */
export type Doubt = 'filtered' | 'unmoved' | 'back' | 'disrupted'

/** An instance that is kept although the last answer does not list it. Times are the clock's, in milliseconds. */
export interface Held {
  readonly doubt: Doubt
  /** Since when it is missing. */
  readonly since: number
  /** From when on a confirmed absence counts; `undefined` while the list is filtered. */
  readonly until: number | undefined
}

/** What is remembered of the answers before. Instances go by their keys. */
export interface Guard {
  /** Of the last answer that was whole. */
  readonly index: bigint
  /** Whether Consul could not be asked since. */
  readonly disrupted: boolean
  /** Until when the consequences of that last, or of an index that went back. */
  readonly settledAt: number
  readonly held: ReadonlyMap<string, Held>
}

/** What an answer says of itself. */
type Heading = Pick<Answer<unknown>, 'index' | 'filteredByAcls'>

/**
 * How long an instance that is missing after a disruption is kept at least. An agent that comes back has told the
 * catalog of its services by then: it tries every 15 s
 * (https://github.com/hashicorp/consul/blob/main/agent/ae/ae.go). Milliseconds.
 */
export const heldFor = 30_000

/**
 * For how long an agent that has come back may still take from the catalog what it does not know any longer: it syncs
 * within 3 s of finding a server (same source). Milliseconds.
 */
export const settlingFor = 5000

export const noDoubt: Guard = Object.freeze({ index: 1n, disrupted: false, settledAt: 0, held: new Map() })

/**
 * A list is replaced only by a better one. Of the `lost` (known before, not in this answer) those in the next guard's
 * `held` stay, the others are gone: at once where nothing speaks against the answer. What is kept stays until it is
 * listed again, or until an answer to `confirm()` does not list it after its time.
 */
export function judge (guard: Guard, lost: readonly string[], answer: Heading, now: number): Guard {
  const index = indexOf(answer.index)
  const doubt = doubtOf(guard, index, answer.filteredByAcls, now)
  const begins = guard.disrupted || doubt === 'back'
  const held = new Map<string, Held>()
  for (const key of lost) {
    const next = hold(guard.held.get(key), doubt, now)
    if (next !== undefined) held.set(key, next)
  }
  return {
    index: doubt === 'filtered' ? guard.index : index,
    disrupted: false,
    settledAt: begins ? now + settlingFor : guard.settledAt,
    held
  }
}

/** Forgets that these were kept: whatever comes of them is judged as of any other. */
export function release (guard: Guard, keys: readonly string[]): Guard {
  const held = new Map(guard.held)
  for (const key of keys) held.delete(key)
  return { ...guard, held }
}

/**
 * The same for an answer in `default` consistency that was asked for because the time of some has come. It replaces
 * nothing else: the watch may know more by now.
 *
 * @param listed those that it lists
 */
export function confirm (guard: Guard, listed: ReadonlySet<string>, answer: Heading, now: number): Guard {
  const index = indexOf(answer.index)
  const doubt = answer.filteredByAcls ? 'filtered' : index < guard.index ? 'back' : undefined
  const held = new Map<string, Held>()
  for (const [key, before] of guard.held) {
    if (listed.has(key)) continue
    const next = isDue(before, now) ? doubt && holdOn(before, doubt, now) : before
    if (next !== undefined) held.set(key, next)
  }
  return { ...guard, index: doubt === 'back' ? index : guard.index, held }
}

/** When the next absence is to be confirmed. */
export function confirmAt ({ held }: Guard): number | undefined {
  let next: number | undefined
  for (const { until } of held.values()) if (until !== undefined && until < (next ?? Infinity)) next = until
  return next
}

/** An index of 1 is none: any answer without a usable header has it. */
function doubtOf (guard: Guard, index: bigint, filteredByAcls: boolean, now: number): Doubt | undefined {
  if (filteredByAcls) return 'filtered'
  if (index < guard.index) return 'back'
  if (guard.disrupted || now < guard.settledAt) return 'disrupted'
  return index === guard.index && index > 1n ? 'unmoved' : undefined
}

/** After an answer without doubt the time runs of what was kept; what was not is gone. */
function hold (before: Held | undefined, doubt: Doubt | undefined, now: number): Held | undefined {
  if (doubt === undefined) return before && { ...before, until: before.until ?? now + heldFor }
  if (before !== undefined && doubt === 'unmoved') return before
  return { doubt, since: before?.since ?? now, until: doubt === 'filtered' ? undefined : now + heldFor }
}

/** After a confirmation in doubt. Where Consul does not say when the filter ends it must be asked again. */
function holdOn (before: Held, doubt: Doubt, now: number): Held | undefined {
  const isUnsaid = before.doubt === 'unmoved' && doubt === 'filtered'
  return isUnsaid ? { ...before, until: now + heldFor } : hold(before, doubt, now)
}

function isDue ({ until }: Held, now: number): boolean {
  return until !== undefined && until <= now
}

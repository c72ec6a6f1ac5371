import type { WireHealthEntry, WireService } from '../consul/wire.ts'
import { checkIdsOf } from './check-ids.ts'
import { driftOf, placeOf } from './drift.ts'
import type { Registered } from './registrar.ts'

/** What has become of a registration that Consul took. */
export interface Loss {
  readonly kind: 'forgotten' | 'check_forgotten' | 'changed' | 'not_listed' | 'check_not_listed'
  readonly reason: string
  /** The whole service is gone, not only a part of it. */
  readonly isGone: boolean
  /** Where the service is at which the id points now, if someone else has written it. */
  readonly other?: string
}

/** The agent does not know the service. */
export const forgotten: Loss = { kind: 'forgotten', reason: 'the agent does not know it', isGone: true }

/** The agent knows the service, and not its check. */
export const checkForgotten: Loss = {
  kind: 'check_forgotten', reason: 'the agent does not know its check', isGone: false
}

/** What the agent's service lacks of what was registered. */
export function lossAtAgent ({ definition }: Registered, found: WireService): Loss | undefined {
  const drift = driftOf(definition, found)
  if (drift === undefined) return undefined
  return { kind: 'changed', reason: `someone else changed it: ${drift}`, isGone: false, other: placeOf(found) }
}

/** What the catalog's entry lacks. One that has its check is edited at the agent, which tells of that itself. */
export function lossInCatalog (registered: Registered, entry: WireHealthEntry | undefined): Loss | undefined {
  if (entry === undefined) return { kind: 'not_listed', reason: 'the catalog does not list it', isGone: true }
  if (showsCheck(entry, registered.checkId)) return undefined
  const loss: Loss = { kind: 'check_not_listed', reason: 'the catalog does not list its check', isGone: false }
  return lossAtAgent(registered, entry.Service) ?? loss
}

/**
 * The check id of a registration that is the same as ours but for that: a process that shares our port has written it,
 * and its check is as good as ours.
 */
export function twinCheckOf ({ id, definition }: Registered, entry: WireHealthEntry): string | undefined {
  if (driftOf(definition, entry.Service) !== undefined) return undefined
  return checkIdsOf(id).find(checkId => showsCheck(entry, checkId))
}

export function showsCheck ({ Checks: checks }: WireHealthEntry, checkId: string): boolean {
  return checks.some(({ CheckID: id }) => id === checkId)
}

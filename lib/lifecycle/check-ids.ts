import type { CheckStatus, WireCheck } from '../consul/wire.ts'
import { checkTypeOf, type DefinitionParts } from './definition.ts'

/** The checks that the agent has for a service, by id. */
export type PresentChecks = Readonly<Record<string, Pick<WireCheck, 'Type' | 'Status'>>>

/**
 * An agent keeps the status of a check id that it knows, whatever a new registration says. So every registration uses
 * the one of two ids that the agent does not have, and then drops the other.
 */
export function checkIdsOf (serviceId: string): readonly [string, string] {
  return [`service:${serviceId}:a`, `service:${serviceId}:b`]
}

export interface CheckIds {
  readonly checkId: string
  readonly other: string
  /** The agent has it as it will be written. */
  readonly isKept: boolean
}

/**
 * The check id to register with, and the other. What is written once more, with nothing new in its check, keeps its id:
 * that is one write less. Before that of our own comes the one that someone else has written since.
 *
 * @param last the check id of the write before
 */
export function checkIdsFor (
  parts: DefinitionParts, status: CheckStatus, present: PresentChecks, last: string | undefined
): CheckIds {
  const [a, b] = checkIdsOf(parts.id)
  const ids = (checkId: string, isKept: boolean): CheckIds => ({ checkId, other: checkId === a ? b : a, isKept })
  const candidates = last === undefined ? [] : [last === a ? b : a, last]
  const kept = candidates.find(id => present[id]?.Type === checkTypeOf(parts) && present[id].Status === status)
  if (kept !== undefined) return ids(kept, true)
  return ids(a in present && !(b in present) ? b : a, false)
}

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

/**
 * The check id to register with, and the other. What is written once more, with nothing new in its check, keeps its id:
 * that is one write less.
 */
export function checkIdsFor (
  parts: DefinitionParts, status: CheckStatus, present: PresentChecks, isOnceMore: boolean
): readonly [string, string] {
  const [a, b] = checkIdsOf(parts.id)
  const isKept = (id: string): boolean =>
    isOnceMore && present[id]?.Type === checkTypeOf(parts) && present[id].Status === status
  const usesA = b in present ? a in present || !isKept(b) : !(a in present) || isKept(a)
  return usesA ? [a, b] : [b, a]
}

/** The id of the check that an operator's maintenance is. */
export function maintenanceIdOf (serviceId: string): string {
  return `_service_maintenance:${serviceId}`
}

import type { Answer, WireCheck, WireHealthEntry, WireService } from '../../lib/consul/wire.ts'

export function check (status: WireCheck['Status'], id = 'service:a'): WireCheck {
  return { CheckID: id, Name: `check ${id}`, Status: status, Output: '', ServiceID: 'a' }
}

/** An entry as Consul sends it, of a passing instance unless something else is said. */
export function entry (
  service: Partial<WireService> = {}, checks: readonly WireCheck[] = [check('passing')], node = 'node-1'
): WireHealthEntry {
  return {
    Node: { Node: node, Address: '10.0.0.1', Datacenter: 'dc1' },
    Service: { ID: 'a', Service: 'web', Address: '10.0.0.2', Port: 80, Tags: [], Meta: {}, ...service },
    Checks: checks
  }
}

/** A whole answer without an index, unless something else is said. */
export function answerOf (
  value: WireHealthEntry[], { index, filteredByAcls = false }: Partial<Answer<WireHealthEntry[]>> = {}
): Answer<WireHealthEntry[]> {
  return { value, index, hash: undefined, filteredByAcls }
}

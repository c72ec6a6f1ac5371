import type { ServiceInstance } from '../consul/instance.ts'
import type { WireCheck } from '../consul/wire.ts'
import { failingChecks, matches, type KnownInstance } from '../discovery/instances.ts'
import type { DiscoverQuery } from '../discovery/source.ts'
import type { ServiceView } from '../discovery/view.ts'

/** Why a service's instances are in or out. */
export interface Explanation {
  readonly service: string
  /** Where the instances come from. */
  readonly source: 'consul' | 'fallback' | 'nowhere'
  /** `watched`: a blocking query is under way. `polled`: asked for again when used. `idle`: no longer asked for. */
  readonly watch: 'watched' | 'polled' | 'idle' | 'unknown' | 'none'
  /** Milliseconds since Consul's last answer; `undefined` if there was none. */
  readonly age: number | undefined
  /** For how many milliseconds changes may have been missed; 0 while a watch stands. */
  readonly staleFor: number | undefined
  /** Why Consul does not answer now; `undefined` if it does. */
  readonly error: string | undefined
  readonly instances: readonly ExplainedInstance[]
}

export interface ExplainedInstance {
  readonly id: string
  readonly node: string
  /** `host:port` as callers use it. */
  readonly address: string
  readonly callable: boolean
  /** In words: the failing check and its output, maintenance, a tag that is missing. */
  readonly reason: string
}

/**
 * What is known of a service, in words.
 *
 * @param view what Consul said, if it was ever asked
 * @param spare the instances that stand in while Consul knows none
 */
export function explain (
  service: string,
  view: ServiceView | undefined,
  spare: readonly ServiceInstance[],
  query: DiscoverQuery,
  now: number
): Explanation {
  const snapshot = view?.snapshot
  const known = snapshot?.known ?? []
  const isSpare = known.length === 0 && spare.length > 0
  const fromConsul = snapshot === undefined ? 'nowhere' : 'consul'
  return {
    service,
    source: isSpare ? 'fallback' : fromConsul,
    watch: view === undefined || view.upkeep === 'new' ? 'none' : view.upkeep,
    age: snapshot && view && Math.round(now - view.answeredAt),
    staleFor: snapshot && view && Math.round(view.staleFor(now)),
    error: view?.error instanceof Error ? view.error.message : undefined,
    instances: isSpare ? spare.map(explainSpare) : known.map(each => explainInstance(each, query))
  }
}

function explainSpare ({ id, node, address, port }: ServiceInstance): ExplainedInstance {
  return { id, node, address: `${address}:${port}`, callable: true, reason: 'listed in fallback' }
}

function explainInstance (known: KnownInstance, query: DiscoverQuery): ExplainedInstance {
  const { id, node, instance, entry: { Node, Service } } = known
  const address = `${Service.Address === '' ? Node.Address : Service.Address}:${Service.Port}`
  const callable = instance !== undefined && matches(instance, query)
  return { id, node, address, callable, reason: reasonOf(known, callable) }
}

function reasonOf (known: KnownInstance, callable: boolean): string {
  const checks = failingChecks(known).map(wordsOf).join('; ')
  if (known.status === 'maintenance') return `in maintenance (${checks})`
  if (known.status === 'critical') return `critical (${checks})`
  if (!callable) return 'does not have the tags or the status that is asked for'
  return known.status === 'warning' ? `warning (${checks})` : 'passing'
}

/** Maintenance has its reason in the notes. */
function wordsOf ({ Name: name, Output: output, Notes: notes = '' }: WireCheck): string {
  return `${name}: ${output === '' ? notes : output.trim()}`
}

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

/** What a view knows, in words. */
export function explainView (view: ServiceView, query: DiscoverQuery, now: number): Explanation {
  const { snapshot, upkeep, answeredAt, error } = view
  return {
    service: view.key.name,
    source: 'consul',
    watch: upkeep === 'new' ? 'none' : upkeep,
    age: snapshot === undefined ? undefined : Math.round(now - answeredAt),
    staleFor: snapshot === undefined ? undefined : Math.round(view.staleFor(now)),
    error: error instanceof Error ? error.message : undefined,
    instances: (snapshot?.known ?? []).map(known => explainInstance(known, query))
  }
}

/** What stands in for Consul, in words. */
export function explainFallback (service: string, instances: readonly ServiceInstance[]): Explanation {
  return {
    service,
    source: instances.length > 0 ? 'fallback' : 'nowhere',
    watch: 'none',
    age: undefined,
    staleFor: undefined,
    error: undefined,
    instances: instances.map(({ id, node, address, port }) =>
      ({ id, node, address: `${address}:${port}`, callable: true, reason: 'listed in fallback' }))
  }
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

import type { Ejection } from '../balancing/outlier.ts'
import { effectiveWeight } from '../balancing/weights.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import type { WireCheck } from '../consul/wire.ts'
import type { Doubt, Held } from '../discovery/guard.ts'
import { matches, type KnownInstance } from '../discovery/instances.ts'
import type { DiscoverQuery } from '../discovery/source.ts'
import type { ServiceView } from '../discovery/view.ts'
import { hostPort } from '../host-port.ts'
import { Explanation, type ExplainedInstance } from './explanation.ts'

export type { Explanation, ExplainedInstance } from './explanation.ts'

interface Circumstances {
  /** What Consul said, if it was ever asked. */
  readonly view: ServiceView | undefined
  /** The instances that stand in while Consul's list cannot be used. */
  readonly spare: readonly ServiceInstance[]
  readonly query: DiscoverQuery
  /** What counts if the query says nothing of it. */
  readonly passingOnly: boolean
  /** Milliseconds; `undefined`: no limit. */
  readonly maxStale: number | undefined
  /** Why calls leave an instance out because it fails; `undefined`: they do not. */
  readonly ejectionOf: (instance: ServiceInstance) => Ejection | undefined
  /** 0 to 1: the share of an instance in `warning` whose two weights are equal. */
  readonly warningShare: number
  readonly now: number
}

/** What is known of a service, in words. */
export function explain (service: string, circumstances: Circumstances): Explanation {
  const { view, spare, maxStale, now } = circumstances
  const snapshot = view?.snapshot
  const staleFor = snapshot && view && Math.round(view.staleFor(now))
  const tooOld = staleFor !== undefined && maxStale !== undefined && staleFor > maxStale
  const known = explainAll(snapshot?.known ?? [], circumstances, tooOld)
  const isSpare = (known.length === 0 || tooOld) && spare.length > 0
  const fromConsul = snapshot === undefined ? 'nowhere' : 'consul'
  return new Explanation({
    service,
    source: isSpare ? 'fallback' : fromConsul,
    watch: view === undefined || view.upkeep === 'new' ? 'none' : view.upkeep,
    age: snapshot && view && Math.round(now - view.answeredAt),
    staleFor,
    tooOld,
    partial: view?.partial ?? false,
    error: view?.error instanceof Error ? view.error.message : undefined,
    instances: isSpare ? [...spare.map(each => explainSpare(each, circumstances)), ...known] : known
  })
}

function explainSpare (instance: ServiceInstance, { ejectionOf, now }: Circumstances): ExplainedInstance {
  const { id, node, address, port } = instance
  const ejection = ejectionOf(instance)
  const reason = ['listed in fallback', ...whyEjected(ejection, now)].join('; ')
  return { id, node, address: hostPort(address, port), callable: ejection === undefined, reason, keptFor: undefined }
}

function explainAll (
  known: readonly KnownInstance[], circumstances: Circumstances, tooOld: boolean
): readonly ExplainedInstance[] {
  const { query, passingOnly, warningShare } = circumstances
  const asked = { ...query, passingOnly: query.passingOnly ?? passingOnly }
  const weightOf = ({ instance }: KnownInstance): number | undefined =>
    instance && matches(instance, asked) ? effectiveWeight(instance, warningShare) : undefined
  const anyWeight = known.some(each => (weightOf(each) ?? 0) > 0)
  return known.map(each => {
    const weight = weightOf(each)
    const standing = { matching: weight !== undefined, weightless: weight === 0 && anyWeight, tooOld }
    return explainInstance(each, circumstances, standing)
  })
}

interface Standing {
  /** Whether it is what was asked for. */
  readonly matching: boolean
  /** Whether it weighs nothing beside others. */
  readonly weightless: boolean
  readonly tooOld: boolean
}

function explainInstance (
  known: KnownInstance, { ejectionOf, now }: Circumstances, { matching, weightless, tooOld }: Standing
): ExplainedInstance {
  const { id, node, address, port, instance, held } = known
  const ejection = instance && ejectionOf(instance)
  const reasons = [
    ...(tooOld ? ['the list is older than discovery.maxStale'] : []),
    reasonOf(known, instance === undefined || matching),
    ...(weightless ? ['left out of calls that others can serve: its weight is 0'] : []),
    ...whyEjected(ejection, now),
    ...(held === undefined ? [] : [whyHeld(held, known.listed, now)])
  ]
  return {
    id,
    node,
    address: hostPort(address, port),
    callable: matching && !weightless && !tooOld && ejection === undefined,
    reason: reasons.join('; '),
    keptFor: held && Math.round(now - held.since)
  }
}

function reasonOf (known: KnownInstance, matching: boolean): string {
  const checks = known.failing.map(wordsOf).join('; ')
  if (known.status === 'maintenance') return `in maintenance (${checks})`
  if (known.status === 'critical' && known.instance !== undefined) return 'critical, but its check has not run yet'
  if (known.status === 'critical') return `critical (${checks})`
  if (!matching) return 'does not have the tags or the status that is asked for'
  return known.status === 'warning' ? `warning (${checks})` : 'passing'
}

function whyEjected (ejection: Ejection | undefined, now: number): string[] {
  if (ejection === undefined) return []
  const why = ejection.reason === 'success rate'
    ? 'it fails far more often than the others'
    : 'it failed again and again'
  const next = ejection.until > now ? `for ${seconds(ejection.until - now)} more` : 'until an attempt succeeds'
  return [`left out of calls ${next}: ${why}`]
}

/** Maintenance has its reason in the notes. */
function wordsOf ({ Name: name, Output: output, Notes: notes = '' }: WireCheck): string {
  return `${name}: ${output === '' ? notes : output.trim()}`
}

const doubts: Readonly<Record<Doubt, string>> = {
  filtered: 'the token sees only a part of the list',
  unmoved: 'it is missing although the index says that nothing has changed, as if the token saw less',
  back: 'it is missing since the index went back',
  disrupted: 'it is missing since Consul could not be asked for a while'
}

function whyHeld ({ doubt, since, until }: Held, listed: boolean, now: number): string {
  const why = listed ? '' : `: ${doubts[doubt]}`
  const end = until === undefined ? '' : `, until Consul confirms it in ${seconds(Math.max(until - now, 0))}`
  return `kept for ${seconds(now - since)}${why}${end}`
}

function seconds (ms: number): string {
  return `${Math.round(ms / 1000)} s`
}

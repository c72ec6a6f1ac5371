import type { Ejection, Failure } from '../balancing/outlier.ts'
import { effectiveWeight } from '../balancing/weights.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import type { WireCheck } from '../consul/wire.ts'
import type { Finding } from '../discovery/comparison.ts'
import type { Doubt, Held } from '../discovery/guard.ts'
import { matches, type KnownInstance } from '../discovery/instances.ts'
import type { DiscoverQuery } from '../discovery/source.ts'
import type { ServiceView } from '../discovery/view.ts'
import { hostPort } from '../host-port.ts'
import { Explanation, type ExplainedInstance } from './explanation.ts'

export type { Explanation, ExplainedInstance } from './explanation.ts'

/** How Consul's answer compares with the fallback is in it where only that is used. */
interface Circumstances extends Finding {
  /** What Consul said, if it was ever asked. */
  readonly view: ServiceView | undefined
  /** The instances that stand in while Consul's list cannot be used. */
  readonly spare: readonly ServiceInstance[]
  readonly query: DiscoverQuery
  /** What counts if the query says nothing of it. */
  readonly passingOnly: boolean
  /** Milliseconds; `undefined`: no limit. */
  readonly maxStale: number | undefined
  readonly calls: {
    /** Why an instance is ejected; `undefined`: it is not. */
    ejectionOf (instance: ServiceInstance): Ejection | undefined
    /** Those of a list that calls leave out because they fail: not all that are ejected, if those are many. */
    leftOutOf (instances: readonly ServiceInstance[]): ReadonlySet<ServiceInstance>
    /** How many wait for a connection. */
    waitingFor (service: string): number
  }
  /** 0 to 1: the share of an instance in `warning` whose two weights are equal. */
  readonly warningShare: number
  readonly now: number
}

/** What is known of a service, in words. */
export function explain (service: string, circumstances: Circumstances): Explanation {
  const { view, spare, maxStale, calls, now } = circumstances
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
    waiting: calls.waitingFor(service),
    compared: circumstances.compared,
    notCompared: circumstances.notCompared,
    instances: isSpare ? [...explainSpares(spare, circumstances), ...known] : known
  })
}

function explainSpares (
  spare: readonly ServiceInstance[], { calls, now }: Circumstances
): readonly ExplainedInstance[] {
  const leftOut = calls.leftOutOf(spare)
  return spare.map(instance => {
    const { id, node, address, port } = instance
    const isLeftOut = leftOut.has(instance)
    const reason = ['listed in fallback', ...whyEjected(calls.ejectionOf(instance), isLeftOut, now)].join('; ')
    return { id, node, address: hostPort(address, port), callable: !isLeftOut, reason, keptFor: undefined }
  })
}

function explainAll (
  known: readonly KnownInstance[], circumstances: Circumstances, tooOld: boolean
): readonly ExplainedInstance[] {
  const { query, passingOnly, calls, warningShare } = circumstances
  const asked = { ...query, passingOnly: query.passingOnly ?? passingOnly }
  const matching = new Set(known.flatMap(({ instance }) => instance && matches(instance, asked) ? instance : []))
  const leftOut = calls.leftOutOf([...matching])
  const isWeightless = (instance: ServiceInstance): boolean => effectiveWeight(instance, warningShare) === 0
  const anyWeight = [...matching].some(instance => !isWeightless(instance))
  return known.map(each => {
    const { instance } = each
    if (instance === undefined || !matching.has(instance)) return explainInstance(each, circumstances, { tooOld })
    return explainInstance(each, circumstances, {
      matching: true,
      weightless: anyWeight && isWeightless(instance),
      leftOut: leftOut.has(instance),
      tooOld
    })
  })
}

interface Standing {
  /** Whether it is what was asked for. Default false, as of the others. */
  readonly matching?: boolean
  /** Whether it weighs nothing beside others. */
  readonly weightless?: boolean
  /** Whether calls leave it out because it fails. */
  readonly leftOut?: boolean
  readonly tooOld: boolean
}

function explainInstance (
  known: KnownInstance, { calls, now }: Circumstances,
  { matching = false, weightless = false, leftOut = false, tooOld }: Standing
): ExplainedInstance {
  const { id, node, address, port, instance, held } = known
  const ejection = instance && matching ? calls.ejectionOf(instance) : undefined
  const reasons = [
    ...(tooOld ? ['the list is older than discovery.maxStale'] : []),
    reasonOf(known, instance === undefined || matching),
    ...(weightless ? ['left out of calls that others can serve: its weight is 0'] : []),
    ...(weightless ? [] : whyEjected(ejection, leftOut, now)),
    ...(held === undefined ? [] : [whyHeld(held, known.listed, now)])
  ]
  return {
    id,
    node,
    address: hostPort(address, port),
    callable: matching && !weightless && !tooOld && !leftOut,
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

/** Who is ejected beyond the share that may be is called all the same. */
function whyEjected (ejection: Ejection | undefined, isLeftOut: boolean, now: number): string[] {
  if (ejection === undefined) return []
  const why = ejection.reason === 'success rate'
    ? 'it fails far more often than the others'
    : 'it failed again and again'
  const last = ejection.failure === undefined ? '' : `, at last with ${wordsFor(ejection.failure)}`
  if (!isLeftOut) return [`called although ${why}${last}: no more may be left out`]
  const next = ejection.until > now ? `for ${seconds(ejection.until - now)} more` : 'until an attempt succeeds'
  return [`left out of calls ${next}: ${why}${last}`]
}

function wordsFor (failure: Failure): string {
  return typeof failure === 'number' ? `status ${failure}` : failure
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

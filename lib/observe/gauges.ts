import type { CallsState } from '../calls/calls.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import type { ServiceView, Upkeep } from '../discovery/view.ts'
import type { HealthReport } from '../health/check.ts'
import type { RegistrationState } from '../lifecycle/registration-status.ts'
import type { Sample } from './exposition.ts'
import type { GaugeName, Labels } from './metrics-table.ts'

/** Who knows what gauges show. */
export interface Owners {
  readonly catalog: { readonly views: Iterable<ServiceView>, viewsOf (name: string): Iterable<ServiceView> }
  readonly membership: {
    readonly status: { readonly state: RegistrationState }
    readonly routableAfter: number | undefined
  }
  readonly health: { readonly last: HealthReport | undefined }
  readonly calls: { state (): CallsState }
  readonly fallback: { peek (name: string): readonly ServiceInstance[] }
  readonly comparison: { agreements (): ReadonlyMap<string, boolean> }
}

/** What gauges need to know besides. */
interface Circumstances {
  /** The own service's name; `undefined`: nothing is registered. */
  readonly service: string | undefined
  readonly now: number
}

const registrationStates: readonly RegistrationState[] =
  ['none', 'registering', 'registered', 'unconfirmed', 'conflict', 'draining', 'stopped']
const healthStatuses = ['healthy', 'degraded', 'unhealthy'] as const
const entryStatuses = ['passing', 'warning', 'critical', 'maintenance'] as const

/** As it is called in `consul_discovery_services`; those that Consul does not know, or not yet, are no services. */
const upkeepNames: Readonly<Partial<Record<Upkeep, string>>> = { watched: 'watched', polled: 'polled', idle: 'resting' }

/** What every gauge is now, read from those whose state it is. */
export const gauges: {
  readonly [Name in GaugeName]: (owners: Owners, circumstances: Circumstances) => readonly Sample[]
} = {
  consul_registration_state: ({ membership: { status } }, { service }) => service === undefined
    ? []
    : registrationStates.map(state =>
      sample<'consul_registration_state'>({ service, state }, status.state === state ? 1 : 0)),

  consul_registration_routable_seconds: ({ membership: { routableAfter } }, { service }) =>
    service === undefined || routableAfter === undefined
      ? []
      : [sample<'consul_registration_routable_seconds'>({ service }, routableAfter / 1000)],

  consul_discovery_services: ({ catalog }) => {
    const upkeeps = [...catalog.views].map(({ upkeep }) => upkeepNames[upkeep])
    return Object.values(upkeepNames).map(state =>
      sample<'consul_discovery_services'>({ state }, upkeeps.filter(each => each === state).length))
  },

  consul_discovery_instances: ({ catalog }) => listed(catalog.views).flatMap(view => {
    const statuses = view.snapshot?.known.map(({ status }) => status) ?? []
    return entryStatuses.map(status => sample<'consul_discovery_instances'>(
      { ...nameOf(view), status }, statuses.filter(each => each === status).length))
  }),

  consul_discovery_age_seconds: ({ catalog }, { now }) => answered(catalog.views).map(view =>
    sample<'consul_discovery_age_seconds'>(nameOf(view), (now - view.answeredAt) / 1000)),

  consul_discovery_stale_seconds: ({ catalog }, { now }) => answered(catalog.views).map(view =>
    sample<'consul_discovery_stale_seconds'>(nameOf(view), view.staleFor(now) / 1000)),

  consul_fallback_agrees: ({ comparison }) => [...comparison.agreements()].map(([service, agrees]) =>
    sample<'consul_fallback_agrees'>({ service }, Number(agrees))),

  consul_health_check_status: ({ health }) => Object.entries(health.last?.checks ?? {}).flatMap(([check, result]) =>
    healthStatuses.map(status =>
      sample<'consul_health_check_status'>({ check, status }, result.status === status ? 1 : 0))),

  consul_retry_budget_left: ({ calls }) => [sample<'consul_retry_budget_left'>({}, calls.state().retryBudget)],

  consul_ejected_instances: ({ calls }) => [...calls.state().ejected].map(([service, count]) =>
    sample<'consul_ejected_instances'>({ service }, count)),

  consul_call_connections: ({ calls }) => [...calls.state().connections].map(([service, count]) =>
    sample<'consul_call_connections'>({ service }, count)),

  consul_waiting_calls: ({ calls }) => [...calls.state().waiting].map(([service, count]) =>
    sample<'consul_waiting_calls'>({ service }, count))
}

/** As the catalog or an option calls a service; `undefined`: neither has it, and the name may come from a user. */
export function knownName (name: string, { catalog, fallback }: Owners): string | undefined {
  const [fixed] = fallback.peek(name)
  if (fixed !== undefined) return fixed.name
  for (const view of catalog.viewsOf(name)) if (exists(view)) return nameOf(view).service
  return undefined
}

function exists ({ upkeep }: ServiceView): boolean {
  return upkeepNames[upkeep] !== undefined
}

/** The plain lists of services that exist. What is listed by a filter or by nearness is a part of these. */
function listed (views: Iterable<ServiceView>): ServiceView[] {
  return [...views].filter(view => exists(view) && view.key.filter === undefined && view.key.near === undefined)
}

function answered (views: Iterable<ServiceView>): ServiceView[] {
  return listed(views).filter(({ snapshot }) => snapshot !== undefined)
}

function nameOf ({ key: { name, datacenter = '' }, listedAs = name }: ServiceView): {
  service: string, datacenter: string
} {
  return { service: listedAs, datacenter }
}

function sample<Name extends GaugeName> (labels: Labels<Name>, value: number): Sample {
  return { labels, value }
}

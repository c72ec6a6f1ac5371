/** Seconds. From an answer out of the agent's memory to a cluster without a leader. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Every metric that there is. `several`: what becomes of the values of several registries, or cluster workers. */
export const metricsTable = {
  consul_registrations_total: {
    type: 'counter',
    help: 'Registrations that the agent took: the first one, and those that corrected what was lost, by reason.',
    labels: ['service', 'reason']
  },
  consul_registration_state: {
    type: 'gauge',
    help: 'Registrations of this process by the state that they are in.',
    labels: ['service', 'state'],
    several: 'sum'
  },
  consul_registration_routable_seconds: {
    type: 'gauge',
    help: 'Time from listening until the catalog showed the service.',
    labels: ['service'],
    several: 'max'
  },
  consul_discovery_seconds: {
    type: 'histogram',
    help: 'Time that first calls for a service waited for Consul. Later ones are answered from memory.',
    labels: ['outcome'],
    buckets
  },
  consul_discovery_services: {
    type: 'gauge',
    help: 'Services by how their list is kept up to date.',
    labels: ['state'],
    several: 'sum'
  },
  consul_discovery_instances: {
    type: 'gauge',
    help: 'Instances of a service that are known, by status.',
    labels: ['service', 'datacenter', 'status'],
    several: 'max'
  },
  consul_discovery_age_seconds: {
    type: 'gauge',
    help: 'Time since Consul last answered about a service.',
    labels: ['service', 'datacenter'],
    several: 'max'
  },
  consul_discovery_stale_seconds: {
    type: 'gauge',
    help: 'For how long changes of a service may have been missed; 0 while a watch stands.',
    labels: ['service', 'datacenter'],
    several: 'max'
  },
  consul_fallback_mismatches_total: {
    type: 'counter',
    help: 'How often Consul was found to list other instances than fallback, each time in another way.',
    labels: ['service']
  },
  consul_fallback_agrees: {
    type: 'gauge',
    help: 'Whether Consul lists the instances of fallback, as the last calls in mode register found it.',
    labels: ['service'],
    several: 'min'
  },
  consul_api_request_seconds: {
    type: 'histogram',
    help: 'Time that requests to Consul took, without those that wait for a change.',
    labels: ['endpoint', 'outcome'],
    buckets
  },
  consul_blocking_queries_total: {
    type: 'counter',
    help: 'Requests to Consul that waited for a change.',
    labels: ['endpoint', 'outcome']
  },
  consul_health_check_seconds: {
    type: 'histogram',
    help: 'Time that the runs of a health check took, by the status that came of it.',
    labels: ['check', 'status'],
    buckets
  },
  consul_health_check_status: {
    type: 'gauge',
    help: 'Health checks by the status of their last run.',
    labels: ['check', 'status'],
    several: 'sum'
  },
  consul_calls_total: {
    type: 'counter',
    help: 'Calls to services that have ended, by outcome and by the class of the status that the caller got.',
    labels: ['service', 'outcome', 'status']
  },
  consul_call_attempts_total: {
    type: 'counter',
    help: 'Attempts of calls, by what they say of the instance.',
    labels: ['service', 'outcome']
  },
  consul_call_retries_total: {
    type: 'counter',
    help: 'Attempts that were not enough and were followed by another one, by whether the request had been sent.',
    labels: ['service', 'sent']
  },
  consul_retry_budget_left: {
    type: 'gauge',
    help: 'How many requests that were sent may be sent once more now.',
    labels: [],
    several: 'min'
  },
  consul_ejections_total: {
    type: 'counter',
    help: 'How often an instance was left out of calls because it fails.',
    labels: ['service', 'reason']
  },
  consul_ejected_instances: {
    type: 'gauge',
    help: 'Instances that are left out of calls because they fail.',
    labels: ['service'],
    several: 'max'
  },
  consul_call_connections: {
    type: 'gauge',
    help: 'Open connections to the instances of a service.',
    labels: ['service'],
    several: 'sum'
  },
  consul_waiting_calls: {
    type: 'gauge',
    help: 'Calls that wait for a connection, as all to the instances of the service are in use.',
    labels: ['service'],
    several: 'sum'
  }
} as const

type Table = typeof metricsTable
export type MetricName = keyof Table
type NameOf<T> = { [Name in MetricName]: Table[Name]['type'] extends T ? Name : never }[MetricName]
export type CounterName = NameOf<'counter'>
export type GaugeName = NameOf<'gauge'>
export type HistogramName = NameOf<'histogram'>

/** The value of every label of a metric; an empty one is as good as none. */
export type Labels<Name extends MetricName> = Readonly<Record<Table[Name]['labels'][number], string>>

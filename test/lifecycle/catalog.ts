import type { WireCheck, WireHealthEntry, WireService } from '../../lib/consul/wire.ts'
import type { ConsulApi } from '../support/consul-api.ts'
import { until } from '../support/wait.ts'

/** Something with Consul's HTTP API. */
interface Agent {
  api: ConsulApi
}

/** What the catalog lists of a service. */
export async function entriesOf ({ api }: Agent, name: string): Promise<WireHealthEntry[]> {
  return (await api<WireHealthEntry[]>('GET', `/v1/health/service/${name}`)).json
}

/** The status of every instance in the catalog: the worst of its own checks. */
export async function statusesOf (agent: Agent, name: string): Promise<string[]> {
  return (await entriesOf(agent, name)).map(statusOf)
}

function statusOf ({ Checks: checks }: WireHealthEntry): string {
  const statuses = checks.map(({ Status }) => Status)
  return (['critical', 'warning', 'passing'] as const).find(status => statuses.includes(status)) ?? 'unchecked'
}

/** The instance of a service, once the catalog lists exactly one, of this status if given. */
export async function registered (agent: Agent, name: string, status?: string): Promise<WireHealthEntry> {
  return until(async () => {
    const [entry, ...more] = await entriesOf(agent, name)
    return entry !== undefined && more.length === 0 && (status === undefined || statusOf(entry) === status) && entry
  }, { timeout: 15_000, what: `one ${status ?? ''} instance of ${name}` })
}

export async function gone (agent: Agent, name: string): Promise<void> {
  await until(async () => (await entriesOf(agent, name)).length === 0, { timeout: 10_000, what: `no ${name}` })
}

/** The service as its agent has it, `undefined` if it has not. */
export async function agentService ({ api }: Agent, id: string): Promise<WireService | undefined> {
  const { status, json } = await api<WireService>('GET', `/v1/agent/service/${encodeURIComponent(id)}`)
  return status === 200 ? json : undefined
}

/** The service's checks in the catalog, without the node's. */
export async function checksOf ({ api }: Agent, name: string): Promise<WireCheck[]> {
  return (await api<WireCheck[]>('GET', `/v1/health/checks/${name}`)).json
}

/** The service's check, of which the catalog has exactly one. */
export async function onlyCheckOf (agent: Agent, name: string): Promise<WireCheck> {
  const [check, ...more] = await checksOf(agent, name)
  if (check === undefined || more.length > 0) throw new Error(`${name} has ${more.length + 1} checks or none`)
  return check
}

/** What the agent saw when it first ran the service's only check, such as `HTTP GET http://host:port/path: 200 OK …`. */
export async function checkOutput ({ api }: Agent, name: string): Promise<string> {
  return until(async () => {
    const { json } = await api<Record<string, WireCheck & { ServiceName: string }>>('GET', '/v1/agent/checks')
    const [check, ...more] = Object.values(json).filter(({ ServiceName: service }) => service === name)
    return more.length === 0 && check?.Output
  }, { timeout: 10_000, what: `an output of the check of ${name}` })
}

/** How many services the agent has, its own excepted. */
export async function serviceCount ({ api }: Agent): Promise<number> {
  const { json } = await api<Record<string, WireService>>('GET', '/v1/agent/services')
  return Object.keys(json).length
}

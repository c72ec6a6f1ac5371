import { setTimeout as delay } from 'node:timers/promises'
import type { WireCheck, WireHealthEntry, WireService } from '../../lib/consul/wire.ts'
import { consulApi, type ConsulAnswer } from '../support/consul-api.ts'
import { until } from '../support/wait.ts'

export type Json = Record<string, unknown>

/** An agent that the contract is held against, asked as an application would. */
export class Agent {
  readonly api
  readonly url: string
  /** Consul 1.11 and later: what is unknown is 404. Before, it was nothing or 500. */
  readonly tellsUnknown: boolean

  constructor (url: string, tellsUnknown: boolean) {
    this.url = url
    this.api = consulApi(url)
    this.tellsUnknown = tellsUnknown
  }

  async put (path: string, body?: unknown): Promise<ConsulAnswer<unknown>> {
    return await this.api('PUT', `/v1/agent${path}`, body)
  }

  /** Registers what must be taken. */
  async register (definition: Json, query = ''): Promise<void> {
    const { status, text } = await this.put(`/service/register${query}`, definition)
    if (status !== 200) throw new Error(`not registered: ${status} ${text}`)
  }

  async deregister (id: string): Promise<void> {
    await this.put(`/service/deregister/${encodeURIComponent(id)}`)
  }

  async update (checkId: string, status: string, output = ''): Promise<ConsulAnswer<unknown>> {
    return await this.put(`/check/update/${encodeURIComponent(checkId)}`, { Status: status, Output: output })
  }

  async maintenance (id: string, query: string): Promise<ConsulAnswer<unknown>> {
    return await this.put(`/service/maintenance/${encodeURIComponent(id)}?${query}`)
  }

  async health (name: string, query = ''): Promise<Health> {
    const began = performance.now()
    const answer = await this.api<WireHealthEntry[]>('GET', `/v1/health/service/${encodeURIComponent(name)}?${query}`)
    return {
      ...answer,
      index: Number(answer.headers['x-consul-index']),
      entries: answer.status === 200 ? answer.json.map(plainEntry).sort((a, b) => a.id < b.id ? -1 : 1) : [],
      took: performance.now() - began
    }
  }

  async index (name: string): Promise<number> {
    return (await this.health(name)).index
  }

  /** A blocking query that is surely waiting. */
  async watch (name: string, query = 'wait=10s'): Promise<{ index: number, answer: Promise<Health> }> {
    const index = await this.index(name)
    const answer = this.health(name, `index=${index}&${query}`)
    await waiting()
    return { index, answer }
  }

  /** What the agent itself knows of a check, at once. */
  async check (id: string): Promise<WireCheck | undefined> {
    return (await this.api<Record<string, WireCheck>>('GET', '/v1/agent/checks')).json[id]
  }

  async untilCheck (id: string, matches: (check: WireCheck) => boolean): Promise<WireCheck> {
    return await until(async () => {
      const check = await this.check(id)
      return check !== undefined && matches(check) && check
    }, { what: `check ${id}` })
  }

  async service (id: string, query = ''): Promise<ConsulAnswer<WireService> & { hash: string, took: number }> {
    const began = performance.now()
    const answer = await this.api<WireService>('GET', `/v1/agent/service/${encodeURIComponent(id)}?${query}`)
    return { ...answer, hash: String(answer.headers['x-consul-contenthash']), took: performance.now() - began }
  }
}

export interface Health extends ConsulAnswer<WireHealthEntry[]> {
  index: number
  entries: PlainEntry[]
  took: number
}

/** What of an entry is read anywhere in this package, without what differs between two agents. */
export interface PlainEntry {
  id: string
  service: Json
  checks: Record<string, Json>
}

export function plainEntry ({ Service: service, Checks: checks }: WireHealthEntry): PlainEntry {
  const own = checks.filter(({ ServiceID }) => ServiceID !== '')
  return {
    id: service.ID,
    service: plainService(service),
    checks: Object.fromEntries(own.map(check => [check.CheckID, plainCheck(check)]))
  }
}

export function plainService (service: WireService): Json {
  const { ID, Service, Address, Port = 0, Tags, Meta, Weights, EnableTagOverride, TaggedAddresses } = service
  return {
    ID,
    Service,
    Address,
    Port,
    Tags: Tags ?? [],
    Meta: Meta ?? {},
    Weights,
    EnableTagOverride,
    TaggedAddresses: TaggedAddresses ?? {}
  }
}

export function plainCheck ({ CheckID, Name, Status, Output, Notes, ServiceID, Type }: WireCheck): Json {
  return { CheckID, Name, Status, Output, Notes, ServiceID, Type }
}

/** What was sent has arrived, and was found to have to wait. */
export async function waiting (): Promise<void> {
  await delay(100)
}

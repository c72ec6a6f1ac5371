import { setTimeout as delay } from 'node:timers/promises'
import type { ConsulApi } from '../../test/support/consul-api.ts'
import type { Teardown } from '../../test/support/teardown.ts'

export type State = 'passing' | 'warning' | 'critical' | 'gone'

interface Entry {
  Service: { ID: string }
  Checks: Array<{ Status: State }>
}

interface Waiter {
  id: string
  state: State
  resolve (time: number): void
}

const worstFirst: readonly State[] = ['critical', 'warning', 'passing']

/** What the catalog says of the instances of a service, as soon as it says so: a blocking query, again and again. */
export class Watcher {
  readonly #api: ConsulApi
  readonly #service: string
  #states = new Map<string, State>()
  #waiters: Waiter[] = []
  #closed = false

  constructor (t: Teardown, api: ConsulApi, service: string) {
    this.#api = api
    this.#service = service
    t.teardown(() => { this.#closed = true })
    this.#follow()
  }

  /** Of every instance that Consul lists. */
  get states (): ReadonlyMap<string, State> { return this.#states }

  /**
   * When the instance came to be in that state, or the present time if it is already. Milliseconds since the epoch.
   * Rejects after 15 s.
   */
  async seen (id: string, state: State): Promise<number> {
    if (this.#stateOf(id) === state) return Date.now()
    const giveUp = new AbortController()
    const limit = delay(15_000, undefined, { signal: giveUp.signal }).then(() => {
      throw new Error(`The catalog did not come to list ${id} as ${state}: it is ${this.#stateOf(id)}`)
    })
    try {
      return await Promise.race([limit, new Promise<number>(resolve => this.#waiters.push({ id, state, resolve }))])
    } finally {
      limit.catch(() => {})
      giveUp.abort()
    }
  }

  async #follow (): Promise<void> {
    let index = '0'
    while (!this.#closed) {
      try {
        const path = `/v1/health/service/${this.#service}?wait=10s&index=${index}`
        const { headers, json } = await this.#api<Entry[]>('GET', path)
        this.#update(json)
        index = String(headers['x-consul-index'])
      } catch {
        await delay(100)
      }
    }
  }

  #update (entries: readonly Entry[]): void {
    const now = Date.now()
    this.#states = new Map(entries.map(({ Service: { ID }, Checks: checks }) => [ID, worstOf(checks)]))
    const isMet = ({ id, state }: Waiter): boolean => this.#stateOf(id) === state
    for (const waiter of this.#waiters.filter(isMet)) waiter.resolve(now)
    this.#waiters = this.#waiters.filter(waiter => !isMet(waiter))
  }

  #stateOf (id: string): State {
    return this.#states.get(id) ?? 'gone'
  }
}

function worstOf (checks: Entry['Checks']): State {
  return worstFirst.find(state => checks.some(({ Status }) => Status === state)) ?? 'passing'
}

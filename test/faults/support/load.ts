import { Agent } from 'undici'
import type { ServiceRegistry } from '../../../lib/index.ts'
import { now } from './monotonic.ts'
import { sentTo } from './sent.ts'

/** `get` and `post` through `fetch`; `plain`: a keep-alive client that asks `getServiceUrl()` before each request. */
export const kinds = ['get', 'post', 'plain'] as const
export type Kind = typeof kinds[number]

export interface LoadOptions {
  service: string
  /** Requests a second, of each kind. */
  rate: Partial<Record<Kind, number>>
}

export interface Failure {
  id: string
  at: number
  error: string
  /** The port of the instance to which it was sent last; none: it was never sent. */
  sentTo?: number | undefined
}

export interface Tally {
  requests: number
  failures: Failure[]
  /** Milliseconds of the answered ones, ascending. */
  latencies: number[]
}

export interface LoadReport {
  tallies: Record<Kind, Tally>
  /** What `discover()` listed, each time that this changed. */
  lists: Array<{ at: number, ids: string[] }>
  /** Requests that fell into a time in which this process did not run. */
  skipped: number
  /** The longest that this process was late. Milliseconds. */
  stall: number
}

/** Milliseconds between two looks at what is due. */
const tick = 5
/** Behind by so much, the process itself was stopped: nobody would have sent these requests. Milliseconds. */
const stopped = 1000
/** A load ends by itself after that long, and has never more requests under way. */
const longest = 240_000
const mostUnderWay = 3000

/** Open loop: requests go out when they are due, whatever became of those before. */
export class Load {
  readonly #registry: ServiceRegistry
  readonly #options: LoadOptions
  readonly #agent = new Agent({ connections: 64 })
  readonly #timer: NodeJS.Timeout
  readonly #began = now()
  readonly #running = new Set<Promise<void>>()
  readonly #report: LoadReport = {
    tallies: { get: emptyTally(), post: emptyTally(), plain: emptyTally() }, lists: [], skipped: 0, stall: 0
  }

  #due: Record<Kind, number> = { get: this.#began, post: this.#began, plain: this.#began }
  #lastId = 0
  #lastTick = this.#began

  constructor (registry: ServiceRegistry, options: LoadOptions) {
    this.#registry = registry
    this.#options = options
    this.#timer = setInterval(() => this.#tick(), tick)
  }

  get report (): LoadReport { return this.#report }

  /** Resolves once everything that was sent has been answered or has failed. */
  async stop (): Promise<LoadReport> {
    clearInterval(this.#timer)
    await Promise.all(this.#running)
    await this.#agent.destroy()
    for (const kind of kinds) this.#report.tallies[kind].latencies.sort((a, b) => a - b)
    return this.#report
  }

  #tick (): void {
    const time = now()
    this.#report.stall = Math.max(this.#report.stall, time - this.#lastTick - tick)
    this.#lastTick = time
    if (time - this.#began > longest) clearInterval(this.#timer)
    this.#look(time)
    for (const kind of kinds) {
      const gap = 1000 / (this.#options.rate[kind] ?? 0)
      if (gap === Infinity) continue
      if (time - this.#due[kind] > stopped) {
        const missed = Math.floor((time - this.#due[kind]) / gap)
        this.#report.skipped += missed
        this.#due[kind] += missed * gap
      }
      for (; this.#due[kind] <= time; this.#due[kind] += gap) this.#send(kind)
    }
  }

  async #look (at: number): Promise<void> {
    const { lists } = this.#report
    const instances = await this.#registry.discover(this.#options.service).catch(() => [])
    const ids = instances.map(({ id }) => id).sort()
    if (lists.at(-1)?.ids.join() !== ids.join()) lists.push({ at, ids })
  }

  #send (kind: Kind): void {
    const tally = this.#report.tallies[kind]
    const id = String(++this.#lastId)
    const began = now()
    tally.requests++
    const work = (this.#running.size < mostUnderWay ? this.#call(kind, id) : Promise.reject(new Error('too many')))
      .then(() => { tally.latencies.push(now() - began) })
      .catch(error => { tally.failures.push({ id, at: began, error: describe(error), sentTo: sentTo.get(id) }) })
      .finally(() => {
        this.#running.delete(work)
        sentTo.delete(id)
      })
    this.#running.add(work)
  }

  async #call (kind: Kind, id: string): Promise<void> {
    const { service } = this.#options
    if (kind === 'plain') {
      const origin = await this.#registry.getServiceUrl(service)
      if (origin === null) throw new Error('no URL')
      const { statusCode, body } = await this.#agent.request({ origin, path: `/work?id=${id}`, method: 'GET' })
      check(statusCode, await body.text())
    } else {
      const post = kind === 'post' && { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }
      const response = await this.#registry.fetch(`http://${service}/work?id=${id}`, { ...post })
      check(response.status, await response.text())
    }
  }
}

function check (status: number, text: string): void {
  if (status !== 200 || text !== '{"done":true}') throw new Error(`${status} ${text.slice(0, 100)}`)
}

function emptyTally (): Tally {
  return { requests: 0, failures: [], latencies: [] }
}

/** An error with its causes. */
function describe (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code = error.name } = error as NodeJS.ErrnoException
  return `${code} ${error.message}${error.cause === undefined ? '' : ` < ${describe(error.cause)}`}`
}

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createCalls, type Calls, type CallsOptions } from '../../lib/calls/calls.ts'
import type { Clock } from '../../lib/clock.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import type { DiscoverQuery, InstanceSource, LeaveListener } from '../../lib/discovery/source.ts'
import { channels } from '../../lib/observe/channels.ts'
import { instance, seeded } from '../balancing/helpers.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import type { ManualClock } from '../support/manual-clock.ts'
import type { Teardown } from '../support/teardown.ts'

type Deferred = { resolve: () => void, reject: (error: Error) => void }

/** Instances in memory. */
export class MemorySource implements InstanceSource {
  /** What was asked for, `peek()` and `discover()` alike. */
  readonly asked: { name: string, query: DiscoverQuery | undefined }[] = []
  readonly #services = new Map<string, readonly ServiceInstance[]>()
  readonly #listeners = new Set<LeaveListener>()
  /** While set, nothing is in memory, and `discover()` waits. */
  #waiting: Deferred[] | undefined

  constructor (services: Record<string, readonly ServiceInstance[]> = {}) {
    for (const [name, instances] of Object.entries(services)) this.set(name, instances)
  }

  get listeners (): number { return this.#listeners.size }
  get waiting (): number { return this.#waiting?.length ?? 0 }

  peek (name: string, query?: DiscoverQuery): readonly ServiceInstance[] | undefined {
    this.asked.push({ name, query })
    return this.#waiting === undefined ? this.#select(name, query) : undefined
  }

  async discover (name: string, query?: DiscoverQuery): Promise<readonly ServiceInstance[]> {
    this.asked.push({ name, query })
    const waiting = this.#waiting
    if (waiting !== undefined) {
      await new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }))
    }
    return this.#select(name, query)
  }

  onLeave (listener: LeaveListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Whoever is not in the list any more has left. */
  set (name: string, instances: readonly ServiceInstance[], mayReturn = false): void {
    const left = (this.#services.get(name) ?? []).filter(old => !instances.some(({ id }) => id === old.id))
    this.#services.set(name, Object.freeze(instances))
    for (const listener of this.#listeners) listener(left, mayReturn)
  }

  /** From here on discovery takes as long as the test wants. */
  hold (): void {
    this.#waiting ??= []
  }

  release (error?: Error): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const { resolve, reject } of waiting) error === undefined ? resolve() : reject(error)
  }

  #select (name: string, { tag, datacenter }: DiscoverQuery = {}): readonly ServiceInstance[] {
    const all = this.#services.get(name) ?? []
    if (tag === undefined && datacenter === undefined) return all
    return Object.freeze(all.filter(each => (tag === undefined || each.tags.includes(tag)) &&
      (datacenter === undefined || each.datacenter === datacenter)))
  }
}

export interface TestServer {
  readonly instance: ServiceInstance
  readonly server: Server
  /** How many requests came. */
  readonly requests: number
  /** Open connections. */
  connections (): Promise<number>
}

type Fields = Parameters<typeof instance>[0]
type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A clock whose timers fire late, as when the event loop stands still. */
export function lateClock (clock: ManualClock, delay: number): Clock {
  return {
    now: () => clock.now(),
    after: (ms, callback) => clock.after(ms + delay, callback),
    sleep: (ms, signal) => clock.sleep(ms, signal)
  }
}

/** Who fails five times in a row is left out for longer than a test takes. */
export const outlier = {
  consecutiveFailures: 5, successRate: 0.5, ejectionTime: 60_000, maxEjectionTime: 300_000, maxEjected: 0.5
}

/** Calls an instance that answers 503 until it is ejected. */
export async function eject ({ request, ejectionOf }: Calls, instance: ServiceInstance): Promise<void> {
  const strategy = (all: readonly ServiceInstance[]) => all.find(({ id }) => id === instance.id)
  const balance = { strategy, retries: 0 }
  while (ejectionOf(instance) === undefined) await (await request('http://svc/', { balance })).body.dump()
}

/** A real HTTP server that says its id, unless the handler says something else; with a certificate it speaks TLS. */
export async function startServer (
  t: Teardown, id: string, handler: Handler = (_, response) => response.end(id),
  { certificate, host = '127.0.0.1', ...fields }: Fields & { certificate?: ServerOptions, host?: string } = {}
): Promise<TestServer> {
  let requests = 0
  const count: Handler = (request, response) => {
    requests++
    handler(request, response)
  }
  const server = certificate === undefined ? createServer(count) : createSecureServer(certificate, count)
  server.listen(0, host)
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    instance: instance({ id, address: host, port: (server.address() as AddressInfo).port, ...fields }),
    server,
    get requests () { return requests },
    connections: () => new Promise((resolve, reject) => {
      server.getConnections((error, count) => error === null ? resolve(count) : reject(error))
    })
  }
}

type Overrides =
  Partial<CallsOptions['calls'] & CallsOptions['balancer'] & Pick<CallsOptions, 'clock' | 'events' | 'logger'>>

/** Calls over a source, with the defaults of the options; ended with the test. */
export function startCalls (t: Teardown, source: InstanceSource, overrides: Overrides = {}): Calls {
  const { strategy = 'round-robin', warningShare = 0.1, clock, ...others } = overrides
  const { events = channels, logger = collectingLogger().logger, ...calls } = others
  const made = createCalls({
    source,
    balancer: { strategy, warningShare },
    calls: {
      timeout: 30_000,
      deadline: undefined,
      connectTimeout: 1000,
      retries: 2,
      retryBudget: { ratio: 0.2, perSecond: 10 },
      connections: 64,
      tls: noTls,
      allow: undefined,
      ...calls
    },
    events,
    logger,
    random: seeded(1),
    ...(clock && { clock })
  })
  t.teardown(() => made.destroy())
  return made
}

export const noTls = {
  ca: undefined, cert: undefined, key: undefined, servername: undefined, rejectUnauthorized: true
}

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { startChild, type Child } from './children.ts'
import { agentConfig, merge, type JsonObject } from './consul-config.ts'
import { findConsul, type ConsulBinary } from './find-consul.ts'
import { freePorts } from './ports.ts'
import type { Teardown } from './teardown.ts'
import { until } from './wait.ts'

export interface ConsulOptions {
  /** Default deny; the management token is the agent's `token`. */
  acl?: boolean
  /** Keep the state over a restart. Without it a restarted agent is empty. */
  persist?: boolean
  /** Merged over the agent's configuration file. */
  config?: JsonObject
  /** Default 127.0.0.1. */
  host?: string
}

export interface ConsulAnswer<T> {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
  /** The parsed body, `undefined` when it is no JSON. */
  json: T
}

/** A real agent of this test's own, with a leader and its node in the catalog. It ends with the test. */
export async function startConsul (t: Teardown, options: ConsulOptions = {}): Promise<ConsulAgent> {
  const binary = await findConsul()
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-'))
  const [http, server, serfLan, serfWan] = await freePorts(4, options.host) as [number, number, number, number]
  const agent = new ConsulAgent(binary, folder, [http, server, serfLan, serfWan], options)
  t.teardown(async () => {
    await agent.kill()
    await rm(folder, { recursive: true, force: true })
  })
  await agent.start()
  return agent
}

export class ConsulAgent {
  readonly url: string
  readonly host: string
  readonly port: number
  /** The management token with `acl`, else undefined. */
  readonly token: string | undefined
  #binary: ConsulBinary
  #folder: string
  #ports: readonly [number, number, number, number]
  #options: ConsulOptions
  #child: Child | undefined

  constructor (
    binary: ConsulBinary, folder: string, ports: readonly [number, number, number, number], options: ConsulOptions
  ) {
    this.#binary = binary
    this.#folder = folder
    this.#ports = ports
    this.#options = options
    this.host = options.host ?? '127.0.0.1'
    this.port = ports[0]
    this.url = `http://${this.host}:${this.port}`
    this.token = options.acl === true ? randomUUID() : undefined
  }

  get pid (): number {
    if (this.#child === undefined) throw new Error('the agent was never started')
    return this.#child.pid
  }

  /** Starts it, again on the same ports after `kill` or `stop`, and waits until it is ready. */
  async start (): Promise<void> {
    await this.launch()
    await this.ready()
  }

  /** Starts it without waiting for more than its process. */
  async launch (): Promise<void> {
    if (this.#child?.running === true) throw new Error('the agent is running')
    const file = join(this.#folder, 'agent.json')
    const { persist = false, config = {} } = this.#options
    const dataDir = persist ? join(this.#folder, 'data') : undefined
    const { host, token } = this
    const base = agentConfig({ host, token, dataDir, ports: this.#ports, version: this.#binary.version })
    await writeFile(file, JSON.stringify(merge(base, config)))
    const kind = persist ? ['-server', '-bootstrap-expect=1'] : ['-dev']
    this.#child = await startChild(this.#binary.path, ['agent', ...kind, `-config-file=${file}`])
  }

  /** Resolves once it has a leader, answers about itself and its node is in the catalog. */
  async ready (): Promise<void> {
    await until(async () => {
      if (this.#child?.running !== true) return `ended: ${this.#child?.output}`
      const leader = await this.api<string>('GET', '/v1/status/leader')
      const self = await this.api('GET', '/v1/agent/self')
      const nodes = await this.api<unknown[]>('GET', '/v1/catalog/nodes')
      return leader.json !== '' && self.status === 200 && nodes.status === 200 && nodes.json.length > 0
    }, { timeout: 20_000, what: 'the Consul agent to be ready' })
    if (!this.#child?.running) throw new Error(`Consul ended: ${this.#child?.output}`)
  }

  /** Ends it at once (SIGKILL) or as told, and waits until it has ended. */
  async kill (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#child?.kill(signal)
  }

  /** Ends it in good order. */
  async stop (): Promise<void> {
    this.resume()
    await this.kill('SIGTERM')
  }

  /** It keeps its sockets open and answers nothing. */
  suspend (): void {
    this.#child?.signal('SIGSTOP')
  }

  resume (): void {
    this.#child?.signal('SIGCONT')
  }

  /** One request of its own connection to the agent's HTTP API, with the management token; limited to 20 s. */
  async api<T = unknown> (method: 'GET' | 'PUT' | 'DELETE' | 'POST', path: string, body?: unknown):
  Promise<ConsulAnswer<T>> {
    const response = await request(new URL(path, this.url), {
      method,
      reset: true,
      signal: AbortSignal.timeout(20_000),
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.token !== undefined && { 'x-consul-token': this.token })
      },
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
    const text = await response.body.text()
    return { status: response.statusCode, headers: response.headers, text, json: parse(text) as T }
  }
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

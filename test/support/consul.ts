import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild, type Child } from './children.ts'
import { consulApi, isReady, type ConsulApi } from './consul-api.ts'
import { agentConfig, merge, type JsonObject, type Ports } from './consul-config.ts'
import { findConsul, type ConsulBinary } from './find-consul.ts'
import { freePorts } from './ports.ts'
import type { Teardown } from './teardown.ts'
import { until } from './wait.ts'

export interface ConsulOptions {
  /** Default deny; the management token is the agent's `token`. */
  acl?: boolean
  /** Keep the state over a restart (an election longer to start). Without it a restarted agent is empty. */
  persist?: boolean
  /** Merged over the agent's configuration file. */
  config?: JsonObject
  /** Default 127.0.0.1. */
  host?: string
}

/** A real agent of this test's own, with a leader and its node in the catalog. It ends with the test. */
export async function startConsul (t: Teardown, options: ConsulOptions = {}): Promise<ConsulAgent> {
  const agent = await createConsul(t, options)
  await agent.start()
  return agent
}

/** As `startConsul`, but not started: its address is known and nobody listens there yet. */
export async function createConsul (t: Teardown, options: ConsulOptions = {}): Promise<ConsulAgent> {
  const binary = await findConsul()
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-'))
  const agent = new ConsulAgent(binary, folder, await freePorts(4, options.host) as unknown as Ports, options)
  t.teardown(async () => {
    await agent.kill()
    await rm(folder, { recursive: true, force: true })
  })
  return agent
}

export class ConsulAgent {
  readonly url: string
  readonly host: string
  readonly port: number
  /** The management token with `acl`, else undefined. */
  readonly token: string | undefined
  /** One request of its own connection to the agent's HTTP API, with the management token; limited to 20 s. */
  readonly api: ConsulApi
  #binary: ConsulBinary
  #folder: string
  #ports: Ports
  #options: ConsulOptions
  #child: Child | undefined

  constructor (binary: ConsulBinary, folder: string, ports: Ports, options: ConsulOptions) {
    this.#binary = binary
    this.#folder = folder
    this.#ports = ports
    this.#options = options
    this.host = options.host ?? '127.0.0.1'
    this.port = ports[0]
    this.url = `http://${this.host}:${this.port}`
    this.token = options.acl === true ? randomUUID() : undefined
    this.api = consulApi(this.url, this.token)
  }

  get pid (): number {
    if (this.#child === undefined) throw new Error('the agent was never started')
    return this.#child.pid
  }

  /** `host:port` on which servers of a cluster find each other. */
  get gossipAddress (): string { return `${this.host}:${this.#ports[2]}` }

  /** Starts it, again on the same ports after `kill` or `stop`, and waits until it is ready. */
  async start (): Promise<void> {
    await this.launch()
    await this.ready()
  }

  /** Starts it and waits for no more than its process. */
  async launch (): Promise<void> {
    if (this.#child?.running === true) throw new Error('the agent is running')
    const { persist = false, config = {} } = this.#options
    const { host, token } = this
    const dataDir = persist ? join(this.#folder, 'data') : undefined
    const own = agentConfig({ host, token, dataDir, ports: this.#ports, version: this.#binary.version })
    const file = join(this.#folder, 'agent.json')
    await writeFile(file, JSON.stringify(merge(own, config)))
    const kind = persist ? [] : ['-dev']
    const args = ['agent', ...kind, `-config-file=${file}`]
    this.#child = await startChild(this.#binary.path, args, { folder: this.#folder })
  }

  /** Resolves once it has a leader, answers about itself and its node is in the catalog. */
  async ready (): Promise<void> {
    const ended = (): boolean => this.#child?.running !== true
    await until(() => ended() || isReady(this.api), { timeout: 20_000, what: 'the Consul agent to be ready' })
    if (!ended()) return
    await this.#child?.ended
    throw new Error(`the Consul agent ended: ${this.#child?.output}`)
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
  async suspend (): Promise<void> {
    await this.#child?.suspend()
  }

  resume (): void {
    this.#child?.signal('SIGCONT')
  }
}

import type { Teardown } from '../../test/support/teardown.ts'
import { Watcher } from '../shared/watcher.ts'
import type { Agent } from '../shared/agent.ts'
import { spawnInstance, type Instance, type InstanceOptions } from './instance.ts'
import type { Layer } from './layers.ts'

export interface CrewOptions {
  layer: Layer
  /** None: nothing is registered. */
  agent: Agent | undefined
  /** Variables of every instance. */
  env: Record<string, string>
  /** Of the fixed address; 0: any. */
  port: number
  onCounts: InstanceOptions['onCounts']
}

/** A layer with its instances: one, or two while one takes over from the other. */
export class Crew {
  readonly layer: Layer
  /** Of the fixed address; 0: any. */
  readonly port: number
  /** What Consul says of them; none where nothing is registered. */
  readonly watcher: Watcher | undefined
  readonly instances: Instance[] = []
  readonly #options: CrewOptions
  readonly #ids: string[] = []

  constructor (t: Teardown, options: CrewOptions) {
    const { layer, port, agent } = options
    this.layer = layer
    this.port = port
    this.watcher = agent && new Watcher(t, agent.api, layer.name)
    this.#options = options
  }

  /** Starts one more. Resolves when Consul lists it as passing; when it listens, where nothing is registered. */
  async start (port: number): Promise<void> {
    const { layer: { name, calls }, env, onCounts } = this.#options
    const id = `${name}-${this.#ids.length + 1}`
    this.#ids.push(id)
    const instance = await spawnInstance({
      id,
      env: { ...env, SERVICE_NAME: name, SERVICE_ID: id, SERVICE_PORT: String(port), CALLS: calls.join(',') },
      onCounts
    })
    this.instances.push(instance)
    await instance.up()
    await this.watcher?.seen(id, 'passing')
  }

  /** Ends the oldest. */
  async stop (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.instances[0]?.end(signal)
    this.instances.shift()
  }

  /** Ends all of them, and takes out of Consul those that were killed and could not leave. */
  async end (): Promise<void> {
    await Promise.all(this.instances.map(instance => instance.end('SIGTERM').catch(() => instance.kill())))
    const left = this.#ids.filter(id => this.watcher?.states.has(id))
    await Promise.all(left.map(id => this.#options.agent?.api('PUT', `/v1/agent/service/deregister/${id}`)))
  }
}

import { fileURLToPath } from 'node:url'
import { startChild, type Child } from '../../test/support/children.ts'
import { until } from '../../test/support/wait.ts'
import { listening } from '../demo/service.ts'
import type { Counts, Told } from './counts.ts'

export interface InstanceOptions {
  /** Unique in Consul. */
  id: string
  /** Its variables; those of this process that a layer would read do not reach it. */
  env: Record<string, string>
  onCounts: (pid: number, counts: Counts) => void
}

/** An instance of a layer: a process of its own. */
export class Instance {
  readonly id: string
  phase: 'starting' | 'up' | 'leaving' = 'starting'
  readonly #child: Child
  /** All that it had to tell has come. */
  readonly #silent: Promise<unknown>
  #answers = 0
  #port = 0

  constructor (child: Child, { id, onCounts }: InstanceOptions) {
    this.id = id
    this.#child = child
    this.#silent = new Promise(resolve => child.process.once('disconnect', resolve))
    child.process.on('message', message => {
      const { counts, isAnswer } = message as Told
      onCounts(child.pid, counts)
      if (isAnswer) this.#answers++
    })
  }

  /** 0 until it listens. */
  get port (): number { return this.#port }

  /** Resolves when it listens. */
  async up (): Promise<void> {
    this.#port = (await listening(this.#child)).port
    this.phase = 'up'
  }

  /** Has it tell what it has counted so far. */
  async ask (): Promise<void> {
    const before = this.#answers
    this.#child.process.send('ask', () => {}) // One that has ended answers nothing.
    await until(() => this.#answers > before, { what: `${this.id} to answer` })
  }

  /** Rejects if it does not end within 10 s, or ends with an error though it was asked to leave in good order. */
  async end (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.phase = 'leaving'
    this.#child.signal(signal)
    await until(() => !this.#child.running, { what: `${this.id} to end` })
    const { code } = await this.#child.ended
    await this.#silent
    if (signal === 'SIGTERM' && code !== 0) throw new Error(`${this.id} ended with ${code}:\n${this.#child.output}`)
  }

  /** Ends it at once if `end()` could not. */
  async kill (): Promise<void> {
    await this.#child.kill()
  }
}

/** Starts it with Node as this process was started. */
export async function spawnInstance (options: InstanceOptions): Promise<Instance> {
  const [counting, service] = ['counting.ts', 'service.ts'].map(file => fileURLToPath(new URL(file, import.meta.url)))
  const child = await startChild(process.execPath, [...process.execArgv, '--import', counting!, service!], {
    env: { ...plainEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  return new Instance(child, options)
}

function plainEnvironment (): NodeJS.ProcessEnv {
  const isRead = /^(?:CONSUL_|SERVICE_|(?:HOST|CALLS|DATABASE_URL|REDIS_URL)$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isRead.test(name)))
}

import { fileURLToPath } from 'node:url'
import { startChild, type Child } from '../../test/support/children.ts'
import type { Teardown } from '../../test/support/teardown.ts'
import { once } from '../../test/support/wait.ts'
import type { Attempts } from './attempts.ts'

export interface ServiceOptions {
  /** Its variables; those of this process that are about Consul and services do not reach it. */
  env: Record<string, string>
  /** Modules to load before it. */
  preload?: readonly string[]
}

/** One of the examples, in a process of its own, which listens. */
export class Service {
  readonly port: number
  /** When it began to listen. Milliseconds since the epoch. */
  readonly listeningAt: number
  readonly #child: Child

  constructor (child: Child, port: number, listeningAt: number) {
    this.#child = child
    this.port = port
    this.listeningAt = listeningAt
  }

  get url (): string { return `http://127.0.0.1:${this.port}` }

  /** Sends a signal that ends it. */
  async end (signal: NodeJS.Signals): Promise<{ code: number | null }> {
    this.#child.signal(signal)
    return await this.#child.ended
  }

  /** What `attempts.ts`, loaded into it, has counted. */
  async attempts (): Promise<Attempts> {
    const answer = once<Attempts>(this.#child.process, 'message')
    this.#child.process.send('ask')
    return await answer
  }
}

/** Starts `file` with Node as this process was started, and resolves when it listens. */
export async function startService (
  t: Teardown, file: string, { env, preload = [] }: ServiceOptions
): Promise<Service> {
  const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
  const imports = preload.flatMap(module => ['--import', path(module)])
  const child = await startChild(process.execPath, [...process.execArgv, ...imports, path(file)], {
    env: { ...plainEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  t.teardown(() => child.kill())
  const { port, time } = await listening(child)
  return new Service(child, port, time)
}

function plainEnvironment (): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:CONSUL|SERVICE)_/.test(name)))
}

/** The first line in which Fastify says where it listens. */
export async function listening (child: Child): Promise<{ port: number, time: number }> {
  return await new Promise((resolve, reject) => {
    child.ended.then(() => reject(new Error(`A service ended before it listened:\n${child.output}`)))
    const read = (): void => {
      const complete = child.output.split('\n').slice(0, -1)
      const line = complete.find(line => line.includes('Server listening at'))
      if (line === undefined) return
      const { time, msg } = JSON.parse(line) as { time: number, msg: string }
      child.process.stdout?.off('data', read)
      resolve({ time, port: Number(/:(\d+)$/.exec(msg)?.[1]) })
    }
    child.process.stdout?.on('data', read)
  })
}

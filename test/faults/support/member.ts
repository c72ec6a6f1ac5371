import { fileURLToPath } from 'node:url'
import type { ConsulOptions } from '../../../lib/index.ts'
import { startNode, typeScript, type Child } from '../../support/children.ts'
import type { Teardown } from '../../support/teardown.ts'
import { until } from '../../support/wait.ts'
import type { LoadOptions, LoadReport } from './load.ts'
import type { Got, Question } from './member-process.ts'
import { now } from './monotonic.ts'

export interface MemberOptions {
  /** As a user writes them. It binds to loopback. */
  options: ConsulOptions
  /** Default: any free one. */
  port?: number
  /** Where to write down the requests for work that it gets. */
  got?: Got[]
}

export interface Line {
  /** When it came. */
  at: number
  msg: string
}

interface Message extends Partial<Got> {
  number?: number
  answer?: unknown
  listening?: number
}

const script = fileURLToPath(new URL('member-process.ts', import.meta.url))

/** Starts a service in a process of its own and resolves once it listens. */
export async function startMember (t: Teardown, { options, port = 0, got = [] }: MemberOptions): Promise<Member> {
  const child = await startNode([...typeScript, script], {
    env: { ...plainEnvironment(), OPTIONS: JSON.stringify(options), PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  t.teardown(() => child.kill())
  const member = new Member(child, got)
  await until(() => member.listening > 0 || !child.running, { timeout: 30_000, what: 'a service to listen' })
  if (!child.running) throw new Error(`a service ended before it listened:\n${child.output}`)
  return member
}

export class Member {
  /** The requests for work that it got. */
  readonly got: Got[]
  /** What the plugin has written to its log. */
  readonly lines: Line[] = []
  /** When it began to listen. */
  listening = 0
  readonly #child: Child
  readonly #asked = new Map<number, (answer: unknown) => void>()
  #number = 0
  #rest = ''

  constructor (child: Child, got: Got[]) {
    this.#child = child
    this.got = got
    child.process.on('error', () => {}) // Of what is sent to one that has ended: its end is told where it is asked.
    child.process.on('message', message => this.#hear(message as Message))
    child.process.stdout?.on('data', text => this.#read(text))
  }

  get running (): boolean { return this.#child.running }
  get output (): string { return this.#child.output }

  signal (signal: NodeJS.Signals): void {
    this.#child.signal(signal)
  }

  /** Sends a signal that ends it, and waits until it has. */
  async end (signal: NodeJS.Signals): Promise<number | null> {
    this.#child.signal(signal)
    return (await this.#child.ended).code
  }

  async load (options: LoadOptions): Promise<void> { await this.#ask({ ask: 'load', options }) }

  async stop (): Promise<LoadReport> { return await this.#ask({ ask: 'stop' }) as LoadReport }

  async lists (): Promise<LoadReport['lists']> { return await this.#ask({ ask: 'lists' }) as LoadReport['lists'] }

  async queries (): Promise<{ reads: number, writes: number }> {
    return await this.#ask({ ask: 'queries' }) as { reads: number, writes: number }
  }

  async registration (): Promise<string> { return await this.#ask({ ask: 'registration' }) as string }

  async discover (service: string): Promise<string[]> {
    return await this.#ask({ ask: 'discover', service }) as string[]
  }

  async #ask (question: Question): Promise<unknown> {
    const number = ++this.#number
    const answer = new Promise(resolve => this.#asked.set(number, resolve))
    this.#child.process.send({ ...question, number })
    const gone = this.#child.ended.then(() => { throw new Error(`asked of a service that ended:\n${this.output}`) })
    return await Promise.race([answer, gone])
  }

  #hear ({ number, answer, listening, got, method = '', at = 0 }: Message): void {
    if (listening !== undefined) this.listening = listening
    if (got !== undefined) this.got.push({ got, method, at })
    if (number === undefined) return
    this.#asked.get(number)?.(answer)
    this.#asked.delete(number)
  }

  #read (text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines.filter(line => line.includes('"plugin":"fastify-consul"'))) {
      this.lines.push({ at: now(), msg: (JSON.parse(line) as Line).msg })
    }
  }
}

/** Without the variables that are about Consul and services. */
function plainEnvironment (): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:CONSUL|SERVICE)_/.test(name)))
}

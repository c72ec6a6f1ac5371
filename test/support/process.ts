import { fileURLToPath } from 'node:url'
import { startNode, typeScript, type Child } from './children.ts'
import type { Teardown } from './teardown.ts'
import { until } from './wait.ts'

export interface ScriptOptions {
  args?: readonly string[]
  /** Over this process's environment; undefined removes a variable. */
  env?: Record<string, string | undefined>
  /** Arguments for node. Default: what it needs for TypeScript. */
  nodeArgs?: readonly string[]
}

/** Runs a script (TypeScript too) in a Node process of its own, which ends with the test. */
export async function startScript (t: Teardown, script: string | URL, options: ScriptOptions = {}): Promise<Script> {
  const { args = [], env = {}, nodeArgs = typeScript } = options
  const path = script instanceof URL ? fileURLToPath(script) : script
  const child = await startNode([...nodeArgs, path, ...args], { env: { ...process.env, ...env } })
  t.teardown(() => child.kill())
  return new Script(child)
}

export class Script {
  /** What it wrote to stdout, line by line. */
  readonly lines: string[] = []
  #child: Child
  #rest = ''

  constructor (child: Child) {
    this.#child = child
    child.process.stdout?.on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n')
      this.#rest = lines.pop() ?? ''
      this.lines.push(...lines)
    })
  }

  get pid (): number { return this.#child.pid }

  get running (): boolean { return this.#child.running }

  /** The end of stdout and stderr together. */
  get output (): string { return this.#child.output }

  /** Resolved once it has ended and all its output is here. */
  get ended (): Promise<{ code: number | null, signal: NodeJS.Signals | null }> { return this.#child.ended }

  signal (signal: NodeJS.Signals): void {
    this.#child.signal(signal)
  }

  /** Ends it (SIGKILL) and waits until it has. */
  async kill (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#child.kill(signal)
  }

  /** The first line, written already or still to come, that matches. Rejects when the script ends without it. */
  async line (pattern: RegExp, timeout = 30_000): Promise<string> {
    const find = (): string | undefined => this.lines.find(line => pattern.test(line))
    await until(() => find() !== undefined || !this.running, { timeout, what: `a line like ${pattern}` })
      .catch(error => { throw new Error(`${error.message}\n${this.output}`, { cause: error }) })
    if (!this.running) await this.ended
    const found = find()
    if (found === undefined) throw new Error(`the script ended without a line like ${pattern}:\n${this.output}`)
    return found
  }
}

import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { childEnvironment } from './child-environment.ts'
import { until } from './wait.ts'

const living = new Set<ChildProcess>()

/** A process of this test: it does not outlive the test, however that ends. */
export class Child {
  readonly pid: number
  /** Resolved once it has ended. */
  readonly ended: Promise<{ code: number | null, signal: NodeJS.Signals | null }>
  #process: ChildProcess
  #output = ''

  constructor (process: ChildProcess, pid: number) {
    this.pid = pid
    this.#process = process
    this.ended = once(process, 'close').then(([code, signal]) => ({ code, signal }))
    const collect = (text: string): void => { this.#output = (this.#output + text).slice(-16_384) }
    process.stdout?.setEncoding('utf8').on('data', collect)
    process.stderr?.setEncoding('utf8').on('data', collect)
  }

  get running (): boolean { return this.#process.exitCode === null && this.#process.signalCode === null }

  /** The end of what it wrote to stdout and stderr. */
  get output (): string { return this.#output }

  get process (): ChildProcess { return this.#process }

  /** Sends a signal that ends it, and waits until it has. */
  async kill (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.signal(signal)
    await this.ended
  }

  /** Stops it where it is. A thread that has no processor just then stops later; where /proc tells, that is awaited. */
  async suspend (): Promise<void> {
    this.signal('SIGSTOP')
    const tasks = `/proc/${this.pid}/task`
    for (const thread of await readdir(tasks).catch(() => [])) {
      await until(async () => / T \d/.test(await statOf(`${tasks}/${thread}/stat`)))
    }
  }

  /** Sends a signal. */
  signal (signal: NodeJS.Signals): void {
    if (this.running) this.#process.kill(signal)
  }
}

export interface ChildOptions extends SpawnOptions {
  /** A folder of this process. Whoever made it removes it; when the test is killed before, it goes with the process. */
  folder?: string
}

/** Starts a process and resolves once it runs; rejects when it cannot be started. */
export async function startChild (
  command: string, args: readonly string[], { folder = '', ...options }: ChildOptions = {}
): Promise<Child> {
  const env = childEnvironment(options.env)
  const process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options, env })
  await once(process, 'spawn')
  const child = new Child(process, process.pid as number)
  guard(process, child.pid, folder)
  return child
}

/** What lets Node run TypeScript: the loader that the tests themselves have. */
export const typeScript = ['--import', new URL('../../scripts/strip-types.js', import.meta.url).href] as const

// NODE_OPTIONS brings what tap loads into every Node process below it.
const withoutTap = 'unset NODE_OPTIONS; exec "$0" "$@"'

/**
 * Starts Node, as `startChild` starts a process. It runs without tap's hooks, which would cost half a second each
 * time: only the tests themselves are measured.
 */
export async function startNode (args: readonly string[], options?: ChildOptions): Promise<Child> {
  return startChild('/bin/sh', ['-c', withoutTap, process.execPath, ...args], options)
}

// Ends with the pipe to the test: $0 is the child, $1 its folder.
const cleanUp = 'read -r _; kill -9 "$0"; test -z "$1" || rm -rf "$1" || { sleep 1; rm -rf "$1"; }'

/** What /proc says of a thread; one that has ended since does nothing any more either. */
async function statOf (file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => ' T 0')
}

/** The exit handler is the fast way. A test that is killed runs none, so a shell waits for the end of a pipe to it. */
function guard (process: ChildProcess, pid: number, folder: string): void {
  if (living.size === 0) globalThis.process.once('exit', killAll)
  living.add(process)
  const watcher = spawn('/bin/sh', ['-c', cleanUp, String(pid), folder], { stdio: ['pipe', 'ignore', 'ignore'] })
  watcher.unref()
  process.once('exit', () => {
    watcher.kill('SIGKILL')
    living.delete(process)
    if (living.size === 0) globalThis.process.off('exit', killAll)
  })
}

function killAll (): void {
  for (const process of living) process.kill('SIGKILL')
}

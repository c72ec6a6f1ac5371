import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { passing, withoutOptions } from '../examples/boot.ts'
import { startNode, type Child } from '../support/children.ts'
import { consulApi, type ConsulApi } from '../support/consul-api.ts'
import { freePorts } from '../support/ports.ts'
import type { Teardown } from '../support/teardown.ts'
import { until } from '../support/wait.ts'
import type { Block } from './blocks.ts'
import { commandsOf, type Command } from './commands.ts'
import { moduleLanguages } from './modules.ts'

/** A request that the page makes. */
export interface Answer {
  status: number
  body: unknown
  /** What the page shows as its answer. */
  shown?: unknown
}

export interface DeskOptions {
  /** Where everything is typed. */
  folder: string
  /** `npm install` of these packages. */
  install: (names: readonly string[]) => Promise<void>
  /** The port of a Consul that runs. Without it the one of the page is started, when the page says so. */
  consulPort?: number
}

const documented = /(?<=\bport: |127\.0\.0\.1:|localhost:)[1-9]\d+/g

/**
 * Types blocks in order, as the reader of a page does, only with other ports. A module is a file, named in its first
 * line or in the line before the block; a command is run, to its end or in a terminal of its own; JSON is what the
 * request before it must answer.
 */
export async function typed (t: Teardown, blocks: readonly Block[], options: DeskOptions): Promise<Desk> {
  const names = [...new Set(['8500', ...blocks.flatMap(({ text }) => text.match(documented) ?? [])])]
  const free = await freePorts(names.length)
  const ports = new Map(names.map((name, index) => [name, free[index]!]))
  if (options.consulPort !== undefined) ports.set('8500', options.consulPort)
  const desk = new Desk(t, options, ports)
  for (const block of blocks) await desk.type(block)
  return desk
}

export class Desk {
  /** The services that were started, each a process, by name. */
  readonly services = new Map<string, Child>()
  readonly answers: Answer[] = []
  readonly api: ConsulApi
  #t: Teardown
  #options: DeskOptions
  #ports: ReadonlyMap<string, number>

  constructor (t: Teardown, options: DeskOptions, ports: ReadonlyMap<string, number>) {
    this.#t = t
    this.#options = options
    this.#ports = ports
    this.api = consulApi(this.#consulUrl)
  }

  async type (block: Block): Promise<void> {
    const text = block.text.replaceAll(documented, port => String(this.#ports.get(port)))
    if (moduleLanguages.has(block.language)) await writeFile(join(this.#options.folder, fileOf(block)), text)
    if (block.language === 'sh') for (const command of commandsOf(text)) await this.#enter(command)
    if (block.language === 'json') this.answers.at(-1)!.shown = JSON.parse(text)
  }

  get #consulUrl (): string { return `http://127.0.0.1:${this.#ports.get('8500')}` }

  async #enter ({ program, args, variables, text }: Command): Promise<void> {
    const [first = '', ...rest] = args
    if (program === 'npm' && first === 'install') return await this.#options.install(rest)
    if (program === 'npx') return await this.#startAgent(first, rest)
    if (program === 'node') return await this.#startService(args, variables)
    if (program === 'curl') return await this.#request(first)
    throw new Error(`there is no way to type ${text}`)
  }

  /** npx would do no more than run it, and leave it behind when it is killed itself. */
  async #startAgent (command: string, args: readonly string[]): Promise<void> {
    if (this.#options.consulPort !== undefined) return
    const port = String(this.#ports.get('8500'))
    await this.#start([join('node_modules/.bin', command), ...args, '--port', port], {})
    await until(async () => (await this.api('GET', '/v1/status/leader')).status === 200)
  }

  async #startService (args: readonly string[], variables: Record<string, string>): Promise<void> {
    const name = variables['SERVICE_NAME'] ?? ''
    const child = await this.#start(args, { CONSUL_URL: this.#consulUrl, ...variables })
    this.services.set(name, child)
    await until(async () => !child.running || (await passing(this, name)).length > 0, { timeout: 20_000, what: name })
    if (!child.running) throw new Error(`${name} ended: ${child.output}`)
  }

  async #start (args: readonly string[], variables: Record<string, string>): Promise<Child> {
    const env = { ...process.env, ...withoutOptions(), ...variables }
    const child = await startNode(args, { cwd: this.#options.folder, env })
    this.#t.teardown(() => child.kill())
    return child
  }

  async #request (url: string): Promise<void> {
    const response = await fetch(url)
    this.answers.push({ status: response.status, body: await response.json() })
  }
}

function fileOf ({ page, line, text, before }: Block): string {
  const name = /^\/\/ (\S+\.[cm]?[jt]s)\b/.exec(text)?.[1] ?? /`(\S+\.[cm]?[jt]s)`:$/.exec(before)?.[1]
  if (name === undefined) throw new Error(`${page}:${line}: neither its first line nor the one before names its file`)
  return name
}

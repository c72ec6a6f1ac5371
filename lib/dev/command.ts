import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { isLoopback } from '../loopback.ts'
import { startDevAgent, type DevAgent } from './dev-agent.ts'

export interface CommandParts {
  readonly out: { write (text: string): unknown }
  readonly error: { write (text: string): unknown }
  /** Where signals come from. */
  readonly process: NodeJS.EventEmitter
}

interface Settings {
  readonly port: number
  readonly host: string
}

const usage = `Usage: fastify-consul dev [--port 8500] [--host 127.0.0.1]

Starts an agent for development: in memory, by itself, with that part of Consul's HTTP API which fastify-consul uses.
`

/** `fastify-consul`. @returns its exit code */
export async function runCommand (args: readonly string[], { out, error, process }: CommandParts): Promise<number> {
  if (args.some(arg => arg === '--help' || arg === '-h')) {
    out.write(usage)
    return 0
  }
  const settings = settingsOf(args)
  if (typeof settings === 'string') {
    error.write(`${settings}\n\n${usage}`)
    return 2
  }
  const agent = await startDevAgent(settings).catch((reason: NodeJS.ErrnoException) => reason)
  if (agent instanceof Error) {
    error.write(`${whyNot(agent, settings)}\n`)
    return 1
  }
  out.write(greeting(agent, settings))
  await anySignal(process)
  await agent.close()
  return 0
}

function settingsOf (args: readonly string[]): Settings | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { port: { type: 'string', default: '8500' }, host: { type: 'string', default: '127.0.0.1' } },
      allowPositionals: true
    })
    const [command, ...rest] = positionals
    if (command === undefined) return 'What to do is missing: dev'
    if (command !== 'dev' || rest.length > 0) return `There is no such command: ${positionals.join(' ')}`
    const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : -1
    if (port < 0 || port > 65_535) return `--port must be a number from 0 to 65535, got ${values.port}`
    if (values.host === '') return '--host must be an address, got an empty text'
    return { port, host: values.host }
  } catch (error) {
    const [what = ''] = (error as Error).message.split('. ') // What follows is advice for another kind of command.
    return what
  }
}

function whyNot ({ code, message }: NodeJS.ErrnoException, { port, host }: Settings): string {
  if (code !== 'EADDRINUSE') return `The development agent could not start: ${message}`
  return `Port ${port} of ${host} is in use, perhaps by a Consul: then this one is not needed. --port takes another.`
}

function greeting ({ url }: DevAgent, { host }: Settings): string {
  const exposed = isLoopback(host) ? '' : `It listens on ${host}: whoever reaches it can make it send requests.\n`
  return `Development agent of fastify-consul: ${url}
This is no Consul. It is for development only: in memory, by itself, without access control and TLS, and it forgets
everything when it ends.
${exposed}`
}

async function anySignal (process: NodeJS.EventEmitter): Promise<void> {
  const ended = new AbortController()
  await Promise.race(['SIGINT', 'SIGTERM'].map(name => once(process, name, { signal: ended.signal })))
  ended.abort()
}

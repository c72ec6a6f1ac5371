import { EventEmitter } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { runCommand } from '../../lib/dev/command.ts'
import { findConsul } from '../support/find-consul.ts'
import { manifestOf } from '../support/installed-packages.ts'
import { run } from '../support/run.ts'
import type { Command } from './commands.ts'

/** What is wrong with a command, by its program. */
export type Programs = Readonly<Record<string, (command: Command) => Promise<string[]>>>

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Those that the documentation uses, but for curl. */
export const programs: Programs = {
  npm, npx, consul, docker, node: onlyFiles, bash: onlyFiles, cp: onlyFiles, nginx: onlyFiles
}

/** That the files are there is tested for every program. */
async function onlyFiles (): Promise<string[]> {
  return []
}

async function npm ({ args: [task = '', ...rest] }: Command): Promise<string[]> {
  if (task === 'install') return (await Promise.all(rest.map(wrongPackage))).flat()
  const script = task === 'run' ? rest[0] ?? '' : task
  const { scripts = {} } = await manifestOf(root)
  return script in scripts ? [] : [`package.json has no script ${script}`]
}

/** What the reader installs is what the tests have. */
async function wrongPackage (wanted: string): Promise<string[]> {
  const [, name = '', version = ''] = /^(@?[^@]+)(?:@(.+))?$/.exec(wanted) ?? []
  if (name === 'fastify-consul') return []
  const { version: installed } = await manifestOf(join(root, 'node_modules', name))
  return version === '' || `${installed}.`.startsWith(`${version}.`) ? [] : [`${name} is ${installed} here`]
}

async function npx ({ args: [program, ...args] }: Command): Promise<string[]> {
  if (program !== 'fastify-consul') return []
  // It really starts, on any free port, and is ended as soon as it says where it listens.
  const here: Record<string, string> = { '--port': '0', '--host': '127.0.0.1' }
  const given = args.map((arg, index) => here[args[index - 1] ?? ''] ?? arg)
  const signals = new EventEmitter()
  const said: string[] = []
  const code = await runCommand(args.includes('--port') ? given : [...given, '--port', '0'], {
    out: { write: () => setImmediate(() => signals.emit('SIGTERM')) },
    error: { write: text => said.push(text) },
    process: signals
  })
  return code === 0 ? [] : said
}

/** Its own help must know the command and its flags. */
async function consul ({ args }: Command): Promise<string[]> {
  const end = args.findIndex(arg => arg.startsWith('-'))
  const names = end === -1 ? args : args.slice(0, end)
  const { path } = await findConsul()
  const { stdout, stderr } = await run(path, [...names, '-h'])
    .catch((error: { stdout?: string, stderr?: string }) => ({ stdout: error.stdout, stderr: error.stderr }))
  const help = `${stdout}${stderr}`
  if (!help.includes(`Usage: consul ${names.join(' ')}`)) return [`consul has no command ${names.join(' ')}`]
  const flags = args.filter(arg => arg.startsWith('-')).map(arg => arg.split('=')[0]!)
  return flags.filter(flag => !new RegExp(`^ +${flag}\\b`, 'm').test(help)).map(flag => `consul has no ${flag}`)
}

/** `docker compose` must name services and profiles of docker-compose.yml. */
async function docker ({ args: [compose, ...args] }: Command): Promise<string[]> {
  if (compose !== 'compose') return []
  const { services } = parse(await readFile(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
    services: Record<string, { profiles?: string[] }>
  }
  const profiles = Object.values(services).flatMap(({ profiles = [] }) => profiles)
  const names = args.filter((arg, index) => !arg.startsWith('-') && args[index - 1] !== '--profile')
  const [verb, ...named] = names.map(name => name.split('=')[0]!)
  const meant = verb === 'exec' ? named.slice(0, 1) : named
  const wanted = args.filter((_, index) => args[index - 1] === '--profile')
  return [
    ...meant.filter(name => !(name in services)).map(name => `docker-compose.yml has no service ${name}`),
    ...wanted.filter(name => !profiles.includes(name)).map(name => `docker-compose.yml has no profile ${name}`)
  ]
}

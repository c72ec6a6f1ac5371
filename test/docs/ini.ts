import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDuration } from '../../lib/duration.ts'
import { run } from '../support/run.ts'
import { wrongCommand, wrongPatience } from './supervision.ts'
import { eachBlock } from './tester.ts'

/** A unit of systemd: it must let a service leave in good order. Where systemd is installed it must know every key. */
export const ini = eachBlock(async ({ text }) => {
  const settings = new Map([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]))
  const strange = text.split('\n').filter(line => !/^(?:|[#;].*|\[\w+\]|\w+=.*)$/.test(line))
  const command = settings.get('ExecStart')?.split(' ') ?? []
  const patience = settings.get('TimeoutStopSec') ?? '90s'
  const signal = settings.get('KillSignal') ?? 'SIGTERM'
  return [
    ...strange.map(line => `neither a section nor a setting: ${line}`),
    ...(command[0]?.startsWith('/') === true ? [] : ['ExecStart must be an absolute path']),
    ...wrongCommand([command[0]?.split('/').at(-1)]),
    ...wrongPatience('TimeoutStopSec', parseDuration(/^\d+$/.test(patience) ? `${patience}s` : patience)),
    ...(/^SIG(?:TERM|INT)$/.test(signal) ? [] : ['KillSignal must be one that Node hears']),
    ...await wrongToSystemd(text)
  ]
})

async function wrongToSystemd (text: string): Promise<string[]> {
  const isInstalled = await run('systemd-analyze', ['--version']).then(() => true, () => false)
  if (!isInstalled) return []
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-unit-'))
  try {
    const file = join(folder, 'documented.service')
    await writeFile(file, text.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`))
    const { stderr } = await run('systemd-analyze', ['verify', '--man=no', file])
      .catch((error: Error) => ({ stderr: error.message }))
    return stderr.split('\n').filter(line => line.includes('documented.service')).map(line => line.replace(folder, ''))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

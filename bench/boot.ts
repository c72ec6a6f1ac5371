import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { median, shuffled } from './support/statistics.ts'

const kinds = ['without', 'again', 'with'] as const

/** Milliseconds, medians: without the plugin, without it once more, which shows what chance does, and with it. */
export type BootTimes = Record<typeof kinds[number], number>

export interface BootFigures {
  /** From the start of the first import to the end of the last. */
  readonly import: BootTimes
  /** From there until the app listens. */
  readonly listen: BootTimes
}

interface Boot {
  readonly import: number
  readonly listen: number
}

const execute = promisify(execFile)
const script = fileURLToPath(new URL('support/boot-process.js', import.meta.url))

/** What the plugin adds to the start of an app, each time in a new process, in an order that differs by round. */
export async function benchBoot (rounds: number): Promise<BootFigures> {
  const boots = { without: [] as Boot[], again: [] as Boot[], with: [] as Boot[] }
  // Once for nothing: the files are read from the disk.
  for (const kind of kinds) await boot(kind)
  for (let round = 0; round < rounds; round++) {
    for (const kind of shuffled(kinds, Math.random)) boots[kind].push(await boot(kind))
  }
  const medians = (what: keyof Boot): BootTimes => {
    const of = (kind: keyof BootTimes): number => median(boots[kind].map(each => each[what]))
    return { without: of('without'), again: of('again'), with: of('with') }
  }
  return { import: medians('import'), listen: medians('listen') }
}

async function boot (kind: keyof BootTimes): Promise<Boot> {
  const { stdout } = await execute(process.execPath, [script, kind])
  return JSON.parse(stdout) as Boot
}

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { median } from './support/statistics.ts'

export interface BootFigures {
  /** Milliseconds from the start of the first import to the end of the last, without and with the plugin. */
  readonly import: readonly [without: number, with_: number]
  /** Milliseconds from there until the app listens. */
  readonly listen: readonly [without: number, with_: number]
}

const run = promisify(execFile)
const script = fileURLToPath(new URL('support/boot-process.js', import.meta.url))

/** What the plugin adds to the start of an app, each time in a new process. */
export async function benchBoot (rounds: number): Promise<BootFigures> {
  const times = { plain: [] as BootTimes[], consul: [] as BootTimes[] }
  for (let round = 0; round < rounds; round++) {
    for (const kind of ['plain', 'consul'] as const) {
      const { stdout } = await run(process.execPath, [script, kind])
      times[kind].push(JSON.parse(stdout) as BootTimes)
    }
  }
  const both = (what: keyof BootTimes): [number, number] => {
    return [median(times.plain.map(each => each[what])), median(times.consul.map(each => each[what]))]
  }
  return { import: both('import'), listen: both('listen') }
}

interface BootTimes {
  readonly import: number
  readonly listen: number
}

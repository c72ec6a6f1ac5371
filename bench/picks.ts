import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface PickFigures {
  readonly strategy: string
  readonly group: string
  readonly instances: number
  /** Nanoseconds of CPU time of one pick, median over the rounds. */
  readonly time: number
  /** The same together with what is written down of the attempt: its begin, its latency, its end. */
  readonly whole: number
  /** Bytes that one pick leaves to the garbage collector, median over the rounds. */
  readonly garbage: number
}

const strategies = ['round-robin', 'random', 'first', 'least-request', 'peak-ewma', 'consistent-hash'] as const
const sizes = [3, 10, 64, 1000, 10_000]
const execute = promisify(execFile)
const script = fileURLToPath(new URL('support/pick-process.ts', import.meta.url))

/**
 * What it takes to choose an instance, with ejection on. Each strategy has a process of its own, as an app uses one:
 * what the compiler makes of the code depends on how many it has seen.
 */
export async function benchPicks (picks: number): Promise<PickFigures[]> {
  const figures: PickFigures[] = []
  for (const strategy of strategies) {
    const args = [...process.execArgv, script, strategy, String(picks), ...sizes.map(String)]
    const { stdout } = await execute(process.execPath, args)
    figures.push(...JSON.parse(stdout) as PickFigures[])
  }
  return figures
}

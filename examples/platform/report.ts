import { number } from '../demo/screen.ts'
import type { Board } from './board.ts'
import type { Ledger } from './counts.ts'
import type { Crew } from './crew.ts'
import type { Load } from './load.ts'
import type { Replacement } from './rollout.ts'
import { topologyOf } from './topology.ts'

export interface Results {
  crews: readonly Crew[]
  load: Load
  ledger: Ledger
  replacements: readonly Replacement[]
}

/** What was sent in all, and what became of it. @returns whether anything failed */
export function report (board: Board, { crews, load, ledger, replacements }: Results): boolean {
  const { calls, attempts, retries, failed } = ledger.total
  const times = replacements.map(({ took }) => took)
  const [shortest, longest] = [Math.min(...times), Math.max(...times)]
  board.say()
  for (const line of topologyOf(crews, ledger)) board.say(line)
  board.say()
  board.say(`  replaced  ${times.length} processes, in ${seconds(shortest)} to ${seconds(longest)} each`)
  board.say(`  requests  ${number(load.requests)} to the platform, half of them POSTs; ${number(load.failed)} failed`)
  board.say(`  calls     ${number(calls)} to the layers for these; ${number(failed)} failed`)
  board.say(`  attempts  ${number(attempts)}, counted by undici: each call once, and its retries`)
  board.say(`  retries   ${number(retries)}`)
  if (load.failure !== undefined) board.say(`\n  The first failure: ${load.failure}`)
  return load.failed > 0 || failed > 0
}

function seconds (milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}

import type { Attempts } from './attempts.ts'
import type { Tally } from './load.ts'
import { number, table, type Screen } from './screen.ts'

interface Row extends Attempts {
  name: string
  tally: Tally
}

/** What was sent in each step, and what became of it. */
export class Report {
  readonly #rows: Row[] = []

  add (name: string, tally: Tally, before: Attempts, after: Attempts): void {
    this.#rows.push({
      name,
      tally,
      attempts: after.attempts - before.attempts,
      refused: after.refused - before.refused,
      broken: after.broken - before.broken
    })
  }

  get failed (): number {
    return this.#sum(({ tally }) => tally.failed)
  }

  show (screen: Screen): void {
    const rows = this.#rows.map(({ name, tally: { requests, failed }, attempts, refused, broken }) =>
      [name, requests, attempts, refused, broken, failed] as const)
    const sums = [0, 1, 2, 3, 4].map(column => rows.reduce((sum, [, ...cells]) => sum + (cells[column] ?? 0), 0))
    const lines = table([
      ['', 'requests', 'attempts', 'refused', 'broken', 'failed'],
      ...[...rows, ['In all', ...sums] as const].map(([name, ...cells]) => [name, ...cells.map(cell => number(cell))])
    ])
    for (const line of lines) screen.say(line)
    screen.say()
    screen.say('  requests  sent to l01-data-layer; each makes it call l02-runtime')
    screen.say('  attempts  sent by l01-data-layer to an instance of l02-runtime, counted by undici')
    screen.say('  refused   attempts on an instance that was gone: app.fetch() went on to the next one')
    screen.say('  broken    attempts that died with their instance: app.fetch() sent each GET to another one')
    screen.say('  failed    requests not answered with 200 and the right body')
    const failure = this.#rows.find(({ tally }) => tally.failure !== undefined)?.tally.failure
    if (failure !== undefined) screen.say(`\n  The first failure: ${failure}`)
  }

  #sum (count: (row: Row) => number): number {
    return this.#rows.reduce((sum, row) => sum + count(row), 0)
  }
}

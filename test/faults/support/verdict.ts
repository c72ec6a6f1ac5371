import type { Figures } from '../fault.ts'
import { kinds, type Failure, type Kind, type LoadReport } from './load.ts'

/** What of a promise was broken: those of the sentences that are one. */
export function verdict (...sentences: Array<string | false>): Pick<Figures, 'broken'> {
  const broken = sentences.filter(sentence => sentence !== false)
  return broken.length === 0 ? {} : { broken: broken.join('; ') }
}

export function failuresOf ({ tallies }: LoadReport, ...of: readonly Kind[]): Failure[] {
  return (of.length === 0 ? kinds : of).flatMap(kind => tallies[kind].failures)
}

export function totals (report: LoadReport): { requests: number, errors: number } {
  const requests = kinds.reduce((sum, kind) => sum + report.tallies[kind].requests, 0)
  return { requests, errors: failuresOf(report).length }
}

/** A sentence for the verdict when there are failures. */
export function failed (what: string, failures: readonly Failure[]): string | false {
  const [first] = failures
  return first !== undefined && `${failures.length} ${what} failed (${first.error})`
}

/** A sentence for the verdict when it took too long. Milliseconds. */
export function late (what: string, took: number, limit: number): string | false {
  return took > limit && `${what} took ${Math.round(took)} ms, not ${limit}`
}

/** The longest that an answered request took. Milliseconds. */
export function slowest ({ tallies }: LoadReport): number {
  return Math.max(0, ...kinds.map(kind => tallies[kind].latencies.at(-1) ?? 0))
}

/** What a machine that is too busy does to a load. */
export function stood ({ stall }: LoadReport): string {
  return `the caller's process stood still for ${Math.round(stall)} ms at the most`
}

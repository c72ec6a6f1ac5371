import type { Fault, Figures } from '../fault.ts'

const columns = [
  'fault', 'what was done', 'requests', 'user-visible errors', 'attempts', 'time to detect', 'time to recover',
  'extra queries to Consul', 'promise', 'kept?', 'note'
]

/** The rows of the table, each under the name of its fault. */
export type Rows = Map<string, string>

export function row ({ name, done, promise }: Fault, figures: Figures): string {
  const { requests, errors, attempts, detect, recover, queries, broken, note = '' } = figures
  return line([
    name, done, count(requests), count(errors), count(attempts), time(detect), time(recover), count(queries),
    promise, broken === undefined ? 'yes' : `**no**: ${broken}`, note
  ])
}

/** The rows of a page that was written before. */
export function rowsOf (page: string): Rows {
  const lines = page.split('\n').filter(line => line.startsWith('| '))
  return new Map(lines.slice(1).map(line => [line.slice(2, line.indexOf(' |')), line]))
}

export function page (rows: Rows, order: readonly string[], about: readonly string[]): string {
  const known = order.flatMap(name => rows.get(name) ?? [])
  return [
    '# Faults', '',
    'Each is made on real processes, by `npm run test:faults`, which writes this page. With names as arguments',
    '(`npm run test:faults -- rolling-restart`) only those are run, and only their rows are written again.', '',
    ...about.map(line => `- ${line}`), '',
    line(columns), `|${columns.map(() => '---').join('|')}|`, ...known, ''
  ].join('\n')
}

function line (cells: readonly string[]): string {
  return `| ${cells.map(cell => cell.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')).join(' | ')} |`
}

function count (value: number | undefined): string {
  return value === undefined ? '' : value.toLocaleString('en')
}

function time (ms: number | undefined): string {
  if (ms === undefined) return ''
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

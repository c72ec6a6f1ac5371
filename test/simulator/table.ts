import { simulate, type Figures } from './run.ts'
import { scenarios, type NamedScenario } from './scenarios.ts'

export const strategies = ['round-robin', 'random', 'least-request', 'peak-ewma'] as const

export interface Run extends Figures {
  /** Percent of the requests that fail if none is sent once more. Only where servers fail. */
  readonly errorsUnrepeated: number
}

type Row = Readonly<Record<typeof strategies[number], Run>>
export type Results = Readonly<Record<keyof typeof scenarios, Row>>

/** Every scenario with every strategy. */
export function simulateAll (): Results {
  return mapValues<keyof typeof scenarios, NamedScenario, Row>(scenarios, scenario =>
    Object.fromEntries(strategies.map(strategy => [strategy, runOf(scenario, strategy)])) as Row)
}

function runOf (scenario: NamedScenario, strategy: typeof strategies[number]): Run {
  const figures = simulate(scenario, { strategy })
  const unrepeated = scenario.shows === 'errors' ? simulate(scenario, { strategy, retries: 0 }) : figures
  return { ...figures, errorsUnrepeated: unrepeated.errors }
}

/** The results as they stand in docs/balancing.md. */
export function tableOf (results: Results): string {
  const named = Object.entries(scenarios) as [keyof typeof scenarios, NamedScenario][]
  const rowsOf = (shows: NamedScenario['shows'], cellOf: (run: Run) => string): string[] => named
    .filter(([, scenario]) => scenario.shows === shows)
    .map(([name, { title }]) => line([title, ...strategies.map(strategy => cellOf(results[name][strategy]))]))
  return [
    line(['latency: p99 / p99.9, ms', ...strategies.map(code)]),
    line(['---', ...strategies.map(() => '---:')]),
    ...rowsOf('latency', ({ p99, p999 }) => `${milliseconds(p99)} / ${milliseconds(p999)}`),
    '',
    line(['failures: failed requests, the same without retries; sent attempts a request', ...strategies.map(code)]),
    line(['---', ...strategies.map(() => '---:')]),
    ...rowsOf('errors', ({ errors, errorsUnrepeated, attempts }) =>
      `${errors.toFixed(2)} %, ${errorsUnrepeated.toFixed(2)} %; ${attempts.toFixed(3)}`)
  ].join('\n')
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const code = (text: string): string => `\`${text}\``

/** Who gets more than it can do only ever gets slower: such a figure says nothing but that. */
function milliseconds (ms: number): string {
  return ms > 2500 ? 'overrun' : ms.toFixed(0)
}

function mapValues<K extends string, V, R> (record: Readonly<Record<K, V>>, map: (value: V) => R): Record<K, R> {
  return Object.fromEntries(Object.entries<V>(record).map(([key, value]) => [key, map(value)])) as Record<K, R>
}

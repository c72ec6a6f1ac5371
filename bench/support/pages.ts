import { readFile, writeFile } from 'node:fs/promises'
import type { BootFigures, BootTimes } from '../boot.ts'
import type { CallFigures } from '../calls.ts'
import type { Quantiles } from '../discovery.ts'
import type { ManyFigures } from '../many.ts'
import type { PickFigures } from '../picks.ts'
import type { Figures } from './compare.ts'

export interface Results {
  readonly date: string
  readonly machine: string
  readonly node: string
  readonly consul: string
  readonly picks: readonly PickFigures[]
  readonly calls: readonly CallFigures[]
  readonly discovery: readonly Quantiles[]
  readonly many: ManyFigures
  readonly boot: BootFigures
}

type Row = readonly (string | number)[]

export const [startMark, endMark] = ['<!-- figures -->', '<!-- /figures -->'] as const

export function print (results: Results): void {
  console.log(tablesOf(results).map(({ title, text }) => `\n${title}\n\n${text}`).join('\n'))
}

/** Puts the tables into docs/performance.md, and those that matter most into README.md, between their marks. */
export async function writePages (results: Results): Promise<void> {
  for (const [path, text] of Object.entries(pagesOf(results))) await replace(path, text)
}

/** What stands between the marks of each page. */
export function pagesOf (results: Results): Readonly<Record<'docs/performance.md' | 'README.md', string>> {
  const tables = tablesOf(results)
  const about = `${results.date}, ${results.machine}; Node ${results.node}, Consul ${results.consul}.`
  const all = tables.map(({ title, text }) => `## ${title}\n\n${text}`).join('\n\n')
  const short = tables.filter(({ inReadme }) => inReadme).map(({ title, text }) => `${title}:\n\n${text}`).join('\n\n')
  return { 'docs/performance.md': `${about}\n\n${all}`, 'README.md': `${short}\n\n${about}` }
}

async function replace (path: string, text: string): Promise<void> {
  const file = new URL(`../../${path}`, import.meta.url)
  const page = await readFile(file, 'utf8')
  const [before, rest] = page.split(startMark)
  const after = rest?.split(endMark)[1]
  if (after === undefined) throw new Error(`${path} has no place for the figures: ${startMark} … ${endMark}`)
  await writeFile(file, `${before}${startMark}\n${text}\n${endMark}${after}`)
}

function tablesOf (results: Results): { title: string, text: string, inReadme: boolean }[] {
  return [
    ...results.calls.map(({ what, concurrency, isAside = false, figures }) => ({
      title: `${capital(what)}, ${concurrency} at a time`,
      text: callsTable(figures),
      inReadme: concurrency === 50 && !isAside
    })),
    {
      title: 'Discovery',
      text: table(['', 'median', 'p99'], results.discovery.map(({ what, unit, median, p99 }) => {
        return [what, `${round(median)} ${unit}`, `${round(p99)} ${unit}`]
      })),
      inReadme: true
    },
    { title: 'Choosing an instance, in nanoseconds', text: picksTable(results.picks), inReadme: false },
    { title: 'Very many', text: manyTable(results.many), inReadme: false },
    { title: 'The start of an app', text: bootTable(results.boot), inReadme: false }
  ]
}

function callsTable (figures: readonly Figures[]): string {
  const [low = NaN, high = NaN] = figures.find(({ isControl }) => isControl)?.spread ?? []
  return table(['', 'CPU per request', 'ratio', 'middle half', 'requests/s'], figures.map((each, index) => {
    const isChance = index > 0 && !each.isControl && each.ratio >= low && each.ratio <= high
    return [
      each.name,
      `${each.cpu.toFixed(1)} µs`,
      `${isChance ? '≈ ' : ''}${each.ratio.toFixed(2)}`,
      each.spread.map(value => value.toFixed(2)).join('–'),
      Math.round(each.throughput)
    ]
  }))
}

function picksTable (picks: readonly PickFigures[]): string {
  const different = <T>(of: (each: PickFigures) => T): T[] => [...new Set(picks.map(of))]
  const groups = different(({ group }) => group)
  const rows = groups.flatMap(group => different(({ strategy }) => strategy).map(strategy => {
    const cells = picks.filter(each => each.strategy === strategy && each.group === group)
      .map(({ time, whole }) => `${Math.round(time)} (${Math.round(whole)})`)
    return [`${strategy}, ${group}`, ...cells]
  }))
  const garbage = groups.map(group => {
    const most = Math.max(...picks.filter(each => each.group === group).map(({ garbage }) => garbage))
    return `${Math.abs(most).toFixed(0)} with ${group}`
  })
  return `${table(['', ...different(({ instances }) => `${instances} instances`)], rows)}\n\nIn brackets with what ` +
    'is written down of the attempt. Bytes that a pick leaves to the garbage collector, at the most: ' +
    `${garbage.join(', ')}.`
}

function manyTable ({ services: { idle, churn, changes }, flip }: ManyFigures): string {
  return table(['', 'figure'], [
    ['1,000 services, nothing happens', `${idle.cpu.toFixed(1)} % of a processor, ${Math.round(idle.heap)} MB of heap`],
    [`1,000 services, ${changes.toFixed(0)} changes a second`,
      `${churn.cpu.toFixed(1)} % of a processor, ${Math.round(churn.heap)} MB of heap`],
    ['one of 10,000 instances changes', `the event loop stands still for ${round(flip.own)} ms; ` +
      `JSON.parse alone takes ${round(flip.parse)} ms`]
  ])
}

function bootTable (boot: BootFigures): string {
  const cells = ({ without, again, with: with_ }: BootTimes): string[] => {
    return [without, again, with_].map(ms => `${ms.toFixed(0)} ms`)
  }
  return table(['', 'without the plugin', 'the same once more', 'with it'], [
    ['import', ...cells(boot.import)],
    ['from there until it listens', ...cells(boot.listen)]
  ])
}

function table (head: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function round (value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(0)
}

function capital (text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

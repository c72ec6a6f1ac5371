import { readFile, writeFile } from 'node:fs/promises'
import type { BootFigures } from '../boot.ts'
import type { CallFigures } from '../calls.ts'
import type { Quantiles } from '../discovery.ts'
import type { ManyFigures } from '../many.ts'
import type { PickFigures } from '../picks.ts'

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

const [startMark, endMark] = ['<!-- figures -->', '<!-- /figures -->']

export function print (results: Results): void {
  console.log(tablesOf(results).map(({ title, text }) => `\n${title}\n\n${text}`).join('\n'))
}

/** Puts the tables into docs/performance.md, and those that matter most into README.md, between their marks. */
export async function writePages (results: Results): Promise<void> {
  const tables = tablesOf(results)
  const about = `${results.date}, ${results.machine}; Node ${results.node}, Consul ${results.consul}.`
  const all = tables.map(({ title, text }) => `## ${title}\n\n${text}`).join('\n\n')
  await replace('docs/performance.md', `${about}\n\n${all}`)
  const short = tables.filter(({ inReadme }) => inReadme).map(({ title, text }) => `${title}:\n\n${text}`).join('\n\n')
  await replace('README.md', `${short}\n\n${about}`)
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
    ...results.calls.map(({ what, concurrency, figures }) => ({
      title: `${capital(what)}, ${concurrency} at a time`,
      text: table(['', 'CPU per request', 'ratio', 'middle half', 'requests/s'], figures.map(each => [
        each.name,
        `${each.cpu.toFixed(1)} µs`,
        each.ratio.toFixed(2),
        each.spread.map(value => value.toFixed(2)).join('–'),
        Math.round(each.throughput)
      ])),
      inReadme: concurrency === 50
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

function picksTable (picks: readonly PickFigures[]): string {
  const sizes = [...new Set(picks.map(({ instances }) => instances))]
  const strategies = [...new Set(picks.map(({ strategy }) => strategy))]
  const most = Math.max(...picks.map(({ garbage }) => garbage))
  const rows = strategies.map(strategy => {
    return [strategy, ...picks.filter(each => each.strategy === strategy)
      .map(({ time, whole }) => `${Math.round(time)} (${Math.round(whole)})`)]
  })
  const head = ['', ...sizes.map(size => `${size} instances`)]
  return `${table(head, rows)}\n\nIn brackets with what is written down of the attempt. A pick leaves ` +
    `${Math.round(most)} bytes to the garbage collector at the most.`
}

function manyTable ({ services: { idle, churn }, flip }: ManyFigures): string {
  return table(['', 'figure'], [
    ['1,000 services, nothing happens', `${idle.cpu.toFixed(1)} % of a processor, ${Math.round(idle.heap)} MB of heap`],
    ['1,000 services, 50 changes a second',
      `${churn.cpu.toFixed(1)} % of a processor, ${Math.round(churn.heap)} MB of heap`],
    ['one of 10,000 instances changes', `the event loop stands still for ${round(flip.own)} ms, ` +
      `${round(flip.parse)} ms of them for JSON.parse`]
  ])
}

function bootTable (boot: BootFigures): string {
  return table(['', 'without the plugin', 'with it'], [
    ['import', ...boot.import.map(ms => `${ms.toFixed(0)} ms`)],
    ['from there until it listens', ...boot.listen.map(ms => `${ms.toFixed(0)} ms`)]
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

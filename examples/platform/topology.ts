import { number } from '../demo/screen.ts'
import type { Ledger } from './counts.ts'
import type { Crew } from './crew.ts'

/** The layers from the top: whom each calls, its instances and what Consul says of them, what its callers counted. */
export function topologyOf (crews: readonly Crew[], ledger: Ledger): string[] {
  const rows = crews.map(crew => {
    const { layer: { name, calls } } = crew
    const { calls: requests, retries, failed } = ledger.of(name)
    return [name, calls.map(shortName).join(' '), instancesOf(crew), number(requests), number(retries), number(failed)]
  })
  const titles = ['layer', 'calls', 'instances', 'requests', 'retries', 'failed']
  return [titles, ...rows.reverse()].map(columns)
}

/** The same in a line. */
export function summaryOf (crews: readonly Crew[], ledger: Ledger): string {
  const { calls, retries, failed } = ledger.total
  const up = crews.filter(isUp)
  return `${up.length} of ${crews.length} layers are up; ` +
    `${number(calls)} requests to them, ${number(retries)} retries, ${number(failed)} failed`
}

/** Passing in Consul; where nothing is registered, listening. */
function isUp ({ instances, watcher }: Crew): boolean {
  if (watcher === undefined) return instances.some(({ phase }) => phase === 'up')
  return [...watcher.states.values()].includes('passing')
}

/** `#1 leaving, #2 passing :20123`, and those that were killed while Consul still lists them. */
function instancesOf ({ layer: { name }, instances, watcher }: Crew): string {
  const all = new Map<string, string>(watcher?.states)
  for (const { id, phase, port } of instances) {
    const state = phase === 'up' ? watcher?.states.get(id) ?? 'not registered' : phase
    all.set(id, port === 0 ? state : `${state} :${port}`)
  }
  return [...all].map(([id, state]) => `#${id.slice(name.length + 1)} ${state}`).join(', ')
}

/** `l02` of `l02-runtime`. */
function shortName (name: string): string {
  return name.slice(0, name.indexOf('-'))
}

function columns ([name = '', calls = '', instances = '', ...numbers]: readonly string[]): string {
  const texts = [name.padEnd(18), calls.padEnd(10), instances.padEnd(36)]
  return `  ${texts.join('')}${numbers.map(each => each.padStart(9)).join('')}`
}

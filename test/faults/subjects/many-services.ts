// Uses very many services, a few of them often, and says what that costs and when it has seen changes.
import { setTimeout as delay } from 'node:timers/promises'
import { createServiceRegistry } from '../../../lib/create-service-registry.ts'
import { LogLines } from '../support/log-lines.ts'
import { now } from '../support/monotonic.ts'
import { answerWith, heapInUse } from './answer.ts'

export interface ManyServicesFigures {
  /** Share of one processor since it was asked before, in percent. */
  cpu: number
  /** MB, after a collection of garbage. */
  heap: number
  /** Services of which no instance is known. */
  missing: number
  /** Questions that failed. */
  failures: number
  /** When the list of a service was last seen to have changed, in milliseconds of the machine. */
  changed: Record<string, number>
  log: string[]
}

/** How often the services are asked for. Milliseconds. */
const oftenEvery = 20
const seldomEvery = 1000

const { url, names, often } = JSON.parse(process.argv[2] as string) as
  { url: string, names: string[], often: number }
const logger = new LogLines()
const registry = createServiceRegistry('watcher', 0, { url, logger })
const lists = new Map<string, readonly object[]>()
const changed = new Map<string, number>()
let failures = 0
for (let from = 0; from < names.length; from += 25) await Promise.all(names.slice(from, from + 25).map(look))
use(names.slice(0, often), oftenEvery)
use(names.slice(often), seldomEvery)
let asked = { at: performance.now(), cpu: process.cpuUsage() }

answerWith(async (): Promise<ManyServicesFigures> => {
  const { user, system } = process.cpuUsage(asked.cpu)
  const cpu = (user + system) / 10 / (performance.now() - asked.at)
  const heap = await heapInUse()
  asked = { at: performance.now(), cpu: process.cpuUsage() }
  const missing = [...lists.values()].filter(list => list.length === 0).length
  return { cpu, heap, missing, failures, changed: Object.fromEntries(changed), log: logger.lines }
})

async function look (name: string): Promise<void> {
  try {
    const list = await registry.discover(name)
    if (list === lists.get(name)) return
    lists.set(name, list)
    changed.set(name, now())
  } catch {
    failures++
  }
}

/** Each of them once in so many milliseconds, not all at once. */
async function use (some: readonly string[], every: number): Promise<void> {
  const step = Math.ceil(some.length * oftenEvery / every)
  for (let from = 0; ; from = from + step >= some.length ? 0 : from + step) {
    for (const name of some.slice(from, from + step)) look(name)
    await delay(oftenEvery)
  }
}

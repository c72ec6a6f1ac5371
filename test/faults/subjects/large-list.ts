// Knows one service with very many instances, calls it now and then, and says for how long its event loop stood still.
import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { request } from 'undici'
import { createServiceRegistry } from '../../../lib/create-service-registry.ts'
import { answerWith } from './answer.ts'
import { ownTime, Standstill } from './standstill.ts'

export interface LargeListFigures {
  /** Healthy instances. */
  instances: number
  /** How often the list has changed. */
  changes: number
  /** The longest time for which the event loop stood still since the last question. Milliseconds. */
  stall: number
  /** The same without the time that other processes took. */
  own: number
  /** What it takes, just now, to turn the bytes of the answer to text, and the text to objects. Milliseconds. */
  parse: number
  /** Size of the answer. */
  megabytes: number
}

const { url, name } = JSON.parse(process.argv[2] as string) as { url: string, name: string }
const registry = createServiceRegistry('watcher', 0, { url, logger: pino({ level: 'silent' }) })
let changes = 0
let list = await registry.discover(name)
use()
const { body } = await request(`${url}/v1/health/service/${name}?stale`)
const bytes = Buffer.from(await body.arrayBuffer())
const standstill = new Standstill()

answerWith((): LargeListFigures => {
  const stoodStill = standstill.take()
  const parse = timeOfParsing()
  standstill.take() // Parsing for comparison is not what is measured.
  return { instances: list.length, changes, ...stoodStill, parse, megabytes: bytes.length / 1e6 }
})

/** That the list is known is only half of it: the balancer has to take it over. */
async function use (): Promise<void> {
  for (;;) {
    await registry.getServiceUrl(name)
    const now = await registry.discover(name)
    if (now !== list) changes++
    list = now
    await delay(5)
  }
}

function timeOfParsing (): number {
  const begin = ownTime()
  JSON.parse(bytes.toString())
  return ownTime() - begin
}

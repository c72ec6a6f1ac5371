// Registers and deregisters services of its own, so many more with every question, and says what that leaves behind.
import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { createServiceRegistry } from '../../../lib/create-service-registry.ts'
import { answerWith, heapInUse } from './answer.ts'
import { Resources } from './resources.ts'

export interface ChurnOwnFigures {
  /** Registrations that were taken back. */
  churns: number
  failures: number
  /** MB, after a collection of garbage. */
  heap: number
  sockets: number
  timers: number
}

/** Registries at a time. */
const atOnce = 60
/** Registrations of one registry, one after the other, before it is closed and another one comes. */
const each = 10

const { url, round } = JSON.parse(process.argv[2] as string) as { url: string, round: number }
const resources = new Resources()
const logger = pino({ level: 'silent' })
let churns = 0
let failures = 0

answerWith(async (): Promise<ChurnOwnFigures> => {
  const end = churns + round
  await Promise.all(Array.from({ length: atOnce }, (_, place) => churn(place, end)))
  await delay(1000)
  const heap = await heapInUse()
  return { churns, failures, heap, sockets: resources.sockets, timers: resources.timers }
})

async function churn (place: number, end: number): Promise<void> {
  while (churns < end) {
    const registry = createServiceRegistry(`own-${place}`, 1000 + place, { url, logger, drain: { delay: 0 } })
    for (let turn = 0; turn < each; turn++) {
      await registry.register()
      if (registry.registration.error !== undefined) failures++
      await registry.deregister()
      churns++
    }
    await registry.close()
  }
}

// Calls a service whose instances come and go, and says what that has left behind in it.
import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { createServiceRegistry } from '../../../lib/create-service-registry.ts'
import { startCalls, type SteadyCalls } from '../support/steady-calls.ts'
import { answerWith, heapInUse } from './answer.ts'
import { Resources } from './resources.ts'

export interface ChurnCallerFigures {
  /** MB, after a collection of garbage. */
  heap: number
  sockets: number
  timers: number
  requests: number
  errors: number
  failure: string | undefined
}

/** Longer than connections stay open that nobody uses. Milliseconds. */
const idleFor = 5000

const { url, name } = JSON.parse(process.argv[2] as string) as { url: string, name: string }
const resources = new Resources()
const registry = createServiceRegistry('caller', 0, { url, logger: pino({ level: 'silent' }) })
await registry.discover(name)
const total = { requests: 0, errors: 0, failure: undefined as string | undefined }
let calls = start()

answerWith(async (): Promise<ChurnCallerFigures> => {
  const { requests, errors, failure } = await calls.end()
  total.requests += requests
  total.errors += errors
  total.failure ??= failure
  await delay(idleFor)
  const heap = await heapInUse()
  const figures = { heap, sockets: resources.sockets, timers: resources.timers, ...total }
  calls = start()
  return figures
})

function start (): SteadyCalls {
  return startCalls({ teardown () {} }, 100, () => registry.request(`http://${name}/`))
}

// Calls a service and is registered itself; its event loop stands still when it is told to by SIGUSR1.
import { pino } from 'pino'
import { createServiceRegistry } from '../../../lib/create-service-registry.ts'
import { startCalls } from '../support/steady-calls.ts'
import { answerWith } from './answer.ts'

export interface BlockedCallerFigures {
  requests: number
  errors: number
  failure: string | undefined
}

const { url, name, port, block, timeout } = JSON.parse(process.argv[2] as string) as
  { url: string, name: string, port: number, block: number, timeout: number }
const registry = createServiceRegistry('blocked', port, { url, logger: pino({ level: 'silent' }), calls: { timeout } })
await registry.register()
await registry.discover(name)
let turn = 0
const calls = startCalls({ teardown () {} }, 200, () =>
  registry.request(`http://${name}/`, { method: turn++ % 2 === 0 ? 'GET' : 'POST' }))

process.on('SIGUSR1', () => {
  const end = performance.now() + block
  while (performance.now() < end);
})

answerWith((): BlockedCallerFigures => ({ ...calls.tally }))

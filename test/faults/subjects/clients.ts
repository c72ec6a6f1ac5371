// Many clients in one process, each with a registry of its own as if it were one of many processes.
import { setTimeout as delay } from 'node:timers/promises'
import { createServiceRegistry } from '../../../lib/create-service-registry.ts'
import { LogLines } from '../support/log-lines.ts'
import { now } from '../support/monotonic.ts'
import { answerWith } from './answer.ts'

export interface ClientsFigures {
  /** When each client first saw the mark since it was asked before. Milliseconds of the machine. */
  seen: number[]
  /** Lines in the log of one client, at most. */
  lines: number
  /** Healthy instances that the clients know, at least. */
  fewest: number
}

const { url, name, mark, count } = JSON.parse(process.argv[2] as string) as
  { url: string, name: string, mark: string, count: number }
const seen: number[] = []
let fewest = Infinity
const logs = Array.from({ length: count }, () => new LogLines())
await Promise.all(logs.map(async logger => {
  const registry = createServiceRegistry('client', 0, { url, logger })
  await registry.discover(name)
  logger.lines.length = 0
  follow(registry)
}))

answerWith((): ClientsFigures => {
  return { seen, lines: Math.max(...logs.map(({ lines }) => lines.length)), fewest }
})

async function follow (registry: ReturnType<typeof createServiceRegistry>): Promise<void> {
  let isSeen = false
  for (;;) {
    const instances = await registry.discover(name)
    fewest = Math.min(fewest, instances.length)
    if (!isSeen && instances.some(({ id }) => id === mark)) {
      isSeen = true
      seen.push(now())
    }
    await delay(20)
  }
}

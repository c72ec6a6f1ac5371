import { pino } from 'pino'
import { createCalls } from '../../lib/calls/calls.ts'
import { systemClock } from '../../lib/clock.ts'
import { channels } from '../../lib/observe/channels.ts'
import { instance } from '../balancing/helpers.ts'

// One call to the ports given, the first one first, and no close().
const instances = process.argv.slice(2).map((port, index) => instance({ id: String(index), port: Number(port) }))
const { request } = createCalls({
  source: { peek: () => instances, discover: async () => instances, onLeave: () => () => {} },
  balancer: { strategy: 'first', warningShare: 0.1 },
  calls: {
    timeout: 30_000,
    deadline: 60_000,
    connectTimeout: 1000,
    retries: 2,
    retryBudget: { ratio: 0.2, perSecond: 10 },
    connections: 64,
    tls: { ca: undefined, cert: undefined, key: undefined, servername: undefined, rejectUnauthorized: true },
    allow: undefined
  },
  events: channels,
  logger: pino({ level: 'silent' }),
  random: () => 0.9,
  clock: systemClock
})
const { body } = await request('http://svc/')
process.stdout.write(await body.text())

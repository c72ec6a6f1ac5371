import { openSync } from 'node:fs'
import { subscribe } from 'node:diagnostics_channel'
import { pino } from 'pino'
import { createCalls } from '../../lib/calls/calls.ts'
import type { AttemptMessage } from '../../lib/calls/events.ts'
import { channels } from '../../lib/observe/channels.ts'
import { instance } from '../balancing/helpers.ts'
import { noTls, outlier } from './helpers.ts'

// A call to the port given, in a process that can open nothing any more.
const instances = [instance({ id: 'a', port: Number(process.argv[2]) })]
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
    tls: noTls,
    allow: undefined,
    outlier
  },
  events: channels,
  logger: pino({ level: 'silent' }),
  random: () => 0.9
})
subscribe('fastify-consul:attempt', message => {
  const { outcome, error } = message as AttemptMessage
  process.stdout.write(JSON.stringify([outcome, error !== undefined && 'code' in error && error.code]))
})
try {
  for (;;) openSync('/dev/null', 'r')
} catch {
  await request('http://svc/').catch(() => {})
}

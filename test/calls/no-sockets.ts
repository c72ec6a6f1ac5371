import { openSync } from 'node:fs'
import { subscribe } from 'node:diagnostics_channel'
import type { AttemptMessage } from '../../lib/calls/events.ts'
import { instance } from '../balancing/helpers.ts'
import { MemorySource, outlier, startCalls } from './helpers.ts'

// A call to the port given, in a process that can open nothing any more.
const source = new MemorySource({ svc: [instance({ id: 'a', port: Number(process.argv[2]) })] })
const { request } = startCalls({ teardown () {} }, source, { strategy: 'first', deadline: 60_000, outlier })
subscribe('fastify-consul:attempt', message => {
  const { outcome, error } = message as AttemptMessage
  process.stdout.write(JSON.stringify([outcome, error !== undefined && 'code' in error && error.code]))
})
try {
  for (;;) openSync('/dev/null', 'r')
} catch {
  await request('http://svc/').catch(() => {})
}

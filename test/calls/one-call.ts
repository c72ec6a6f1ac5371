import { createCalls } from '../../lib/calls/calls.ts'
import { systemClock } from '../../lib/clock.ts'
import { instance } from '../balancing/helpers.ts'

// One call to the port given, and no close().
const instances = [instance({ port: Number(process.argv[2]) })]
const { request } = createCalls({
  source: { peek: () => instances, discover: async () => instances, onLeave: () => () => {} },
  balancer: { strategy: 'round-robin', warningShare: 0.1 },
  calls: {
    timeout: 30_000,
    deadline: 60_000,
    connectTimeout: 1000,
    connections: 64,
    tls: { ca: undefined, cert: undefined, key: undefined, servername: undefined, rejectUnauthorized: true },
    allow: undefined
  },
  random: Math.random,
  clock: systemClock
})
const { body } = await request('http://svc/')
process.stdout.write(await body.text())

import type { Fault } from './fault.ts'
import { startBackends } from './support/backends.ts'
import { startCaller } from './support/caller.ts'
import { verdict } from './support/verdict.ts'

const requests = 10_000
const concurrency = 20
/** The share of the calls that may fail. */
const allowed = 0.001

export const fault: Fault = {
  name: 'instance-refusing',
  done: `one of 3 instances answers 503 to everything, at once; ${requests} GETs, ${concurrency} at a time, and ` +
    'Consul is not asked',
  promise: `at most ${allowed * 100} % of the calls fail`,
  async run (t) {
    const good = await startBackends(t, 2)
    const refusing = await startBackends(t, 1, 0, 503)
    const urls = [...refusing, ...good].map(({ port }) => `http://127.0.0.1:${port}`)
    const caller = startCaller(t, 'http://127.0.0.1:1', { mode: 'static', fallback: { svc: urls } })
    let sent = 0
    let errors = 0
    await Promise.all(Array.from({ length: concurrency }, async () => {
      while (sent++ < requests) {
        const { statusCode, body } = await caller.request('http://svc/')
        await body.dump()
        if (statusCode !== 200) errors++
      }
    }))
    const attempts = [...refusing, ...good].reduce((sum, backend) => sum + backend.requests, 0)
    return {
      requests,
      errors,
      attempts,
      note: `${refusing[0]?.requests} attempts on the one that refuses`,
      ...verdict(errors > requests * allowed && `${errors} calls failed`)
    }
  }
}

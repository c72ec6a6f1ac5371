import { startConsul } from '../support/consul.ts'
import type { Fault } from './fault.ts'
import { attempts, listed, startFleet } from './support/fleet.ts'
import { now } from './support/monotonic.ts'
import { failed, failuresOf, stood, totals, verdict } from './support/verdict.ts'

const rounds = 5

export const fault: Fault = {
  name: 'rolling-restart',
  done: `${rounds} rounds over 3 instances: SIGTERM, \`app.close()\`, started again, the next one; 300 requests/s, ` +
    'and 100/s of a plain keep-alive client',
  promise: 'no request fails: no GET, no POST, none of the plain client',
  async run (t) {
    const { url } = await startConsul(t)
    const fleet = await startFleet(t, { url })
    const { instances, caller } = fleet
    const ids = instances.map(({ id }) => id)
    await caller.load({ service: 'worker', rate: { get: 150, post: 150, plain: 100 } })
    await listed(fleet, ids, 0)
    const asked = (await caller.queries()).reads
    let [detect, recover] = [0, 0]
    const codes = new Set<number | null>()
    for (let round = 1; round <= rounds; round++) {
      for (const instance of instances) {
        const told = now()
        const gone = listed(fleet, ids.filter(id => id !== instance.id), told)
        codes.add(await instance.member.end('SIGTERM'))
        detect = Math.max(detect, await gone - told)
        await instance.start()
        recover = Math.max(recover, await listed(fleet, ids, now()) - instance.member.listening)
      }
      t.log(`round ${round}`)
    }
    const extra = (await caller.queries()).reads - asked
    const report = await caller.stop()
    return {
      ...totals(report),
      attempts: attempts(fleet),
      detect,
      recover,
      queries: extra,
      note: `times: the longest of ${rounds * 3}; queries: the caller's; ${stood(report)}`,
      ...verdict(
        failed('GETs', failuresOf(report, 'get')),
        failed('POSTs', failuresOf(report, 'post')),
        failed('of the plain client', failuresOf(report, 'plain')),
        codes.size > 1 || !codes.has(0) ? `exit codes ${[...codes].join()}` : false)
    }
  }
}

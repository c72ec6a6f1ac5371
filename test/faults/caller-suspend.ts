import { setTimeout as delay } from 'node:timers/promises'
import { startConsul } from '../support/consul.ts'
import type { Fault } from './fault.ts'
import { attempts, idsOf, listed, service, startFleet, type Instance } from './support/fleet.ts'
import type { Failure } from './support/load.ts'
import { now } from './support/monotonic.ts'
import { failed, failuresOf, late, totals, verdict } from './support/verdict.ts'

const suspended = 30_000

export const fault: Fault = {
  name: 'caller-suspend',
  done: 'the caller itself is stopped (SIGSTOP) for 30 s; meanwhile one of 3 instances has left',
  promise: 'no GET fails; a POST, or a request of the plain client, fails only where it was on its way to the one ' +
    'that left; the list is right within 2 s',
  async run (t) {
    const { url } = await startConsul(t)
    const fleet = await startFleet(t, { url })
    const { instances, caller } = fleet
    const [leaving] = instances as [Instance]
    const ids = idsOf(fleet)
    await caller.load({ service, rate: { get: 100, post: 100, plain: 50 } })
    await listed(fleet, ids, 0)
    const asked = (await caller.queries()).reads

    const began = now()
    caller.signal('SIGSTOP')
    const left = leaving.member.end('SIGTERM')
    await delay(began + suspended - now())
    caller.signal('SIGCONT')
    const ended = now()
    const recover = await listed(fleet, ids.filter(id => id !== leaving.id), ended) - ended

    await left // A connection of the caller's that was never used may hold it up until then.

    const extra = (await caller.queries()).reads - asked
    const report = await caller.stop()
    const isOnItsWay = ({ sentTo, error }: Failure): boolean =>
      sentTo === leaving.port || error.includes(`ECONNREFUSED 127.0.0.1:${leaving.port}`)
    return {
      ...totals(report),
      attempts: attempts(fleet),
      recover,
      queries: extra,
      note: `${report.skipped} requests were not made while it was stopped`,
      ...verdict(
        failed('GETs', failuresOf(report, 'get')),
        failed('other calls', failuresOf(report, 'post', 'plain').filter(failure => !isOnItsWay(failure))),
        late('the right list', recover, 2000))
    }
  }
}

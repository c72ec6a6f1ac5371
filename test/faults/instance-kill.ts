import { startConsul } from '../support/consul.ts'
import type { Fault } from './fault.ts'
import { attempts, listed, service, startFleet, twice, type Instance } from './support/fleet.ts'
import { now } from './support/monotonic.ts'
import { failed, failuresOf, totals, verdict } from './support/verdict.ts'

export const fault: Fault = {
  name: 'instance-kill',
  done: 'one of 3 instances is killed (SIGKILL) at 300 requests/s, half of them POSTs, and started again',
  promise: 'no GET fails; a POST fails only where it was already sent to the killed one; none is done twice',
  async run (t) {
    const { url } = await startConsul(t)
    const fleet = await startFleet(t, { url })
    const { instances, caller } = fleet
    const [killed, ...others] = instances as [Instance, ...Instance[]]
    const ids = instances.map(({ id }) => id)
    await caller.load({ service, rate: { get: 150, post: 150 } })
    await listed(fleet, ids, 0)
    const asked = (await caller.queries()).reads

    const began = now()
    await killed.member.end('SIGKILL')
    const detect = await listed(fleet, others.map(({ id }) => id), began) - began
    await killed.start()
    const recover = await listed(fleet, ids, began) - killed.member.listening

    const extra = (await caller.queries()).reads - asked
    const report = await caller.stop()
    const posts = failuresOf(report, 'post')
    return {
      ...totals(report),
      attempts: attempts(fleet),
      detect,
      recover,
      queries: extra,
      note: 'detected: out of the list, by Consul\'s check every second; queries: the caller\'s',
      ...verdict(
        failed('GETs', failuresOf(report, 'get')),
        failed('POSTs that were not on the killed one', posts.filter(({ sentTo }) => sentTo !== killed.port)),
        twice(fleet))
    }
  }
}

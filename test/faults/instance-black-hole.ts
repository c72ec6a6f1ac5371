import { setTimeout as delay } from 'node:timers/promises'
import { startBlackHole } from '../calls/black-hole.ts'
import { startConsul } from '../support/consul.ts'
import type { Fault } from './fault.ts'
import { attempts, idsOf, listed, service, startFleet } from './support/fleet.ts'
import { now } from './support/monotonic.ts'
import { failed, failuresOf, slowest, totals, verdict } from './support/verdict.ts'

const listedFor = 5000

export const fault: Fault = {
  name: 'instance-black-hole',
  done: 'for 5 s a fourth instance counts as healthy to whose port connecting neither works nor fails: ' +
    'the kernel drops every SYN',
  promise: 'no call fails, POSTs neither: after `calls.connectTimeout` (1 s) they go to another instance',
  async run (t) {
    const consul = await startConsul(t)
    const port = await startBlackHole(t)
    const fleet = await startFleet(t, { url: consul.url })
    const ids = idsOf(fleet)
    await fleet.caller.load({ service, rate: { get: 50, post: 50 } })
    await listed(fleet, ids, 0)

    const began = now()
    const hole = { ID: 'hole', Name: service, Address: '127.0.0.1', Port: port }
    await consul.api('PUT', '/v1/agent/service/register', hole)
    await listed(fleet, [...ids, 'hole'], began)
    await delay(listedFor)
    await consul.api('PUT', '/v1/agent/service/deregister/hole')
    const ended = now()
    const recover = await listed(fleet, ids, ended) - ended

    const report = await fleet.caller.stop()
    return {
      ...totals(report),
      attempts: attempts(fleet),
      recover,
      note: `slowest: ${Math.round(slowest(report))} ms`,
      ...verdict(failed('calls', failuresOf(report)))
    }
  }
}

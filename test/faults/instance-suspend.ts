import { setTimeout as delay } from 'node:timers/promises'
import { startConsul } from '../support/consul.ts'
import { until } from '../support/wait.ts'
import type { Fault } from './fault.ts'
import { attempts, listed, service, shareOf, startFleet, twice, type Instance } from './support/fleet.ts'
import { now } from './support/monotonic.ts'
import { failed, failuresOf, late, slowest, totals, verdict } from './support/verdict.ts'

const suspended = 10_000
/** Over which the share of an instance is taken. */
const window = 2000
const backWithin = 30_000

export const fault: Fault = {
  name: 'instance-suspend',
  done: 'one of 3 instances is stopped (SIGSTOP) for 10 s at 300 requests/s, half of them POSTs; `calls.timeout` 1 s',
  promise: 'no GET fails; a POST fails only where it was already sent to the stopped one; afterwards its share is ' +
    'at least 80 % of a fair one within 30 s',
  async run (t) {
    const { url } = await startConsul(t)
    const fleet = await startFleet(t, { url, caller: { calls: { timeout: '1s' } } })
    const { instances, caller } = fleet
    const [stopped, ...others] = instances as [Instance, ...Instance[]]
    await caller.load({ service, rate: { get: 150, post: 150 } })
    await listed(fleet, instances.map(({ id }) => id), 0)
    const asked = (await caller.queries()).reads

    const began = now()
    stopped.member.signal('SIGSTOP')
    const detect = await listed(fleet, others.map(({ id }) => id), began) - began
    await delay(began + suspended - now())
    stopped.member.signal('SIGCONT')
    const ended = now()
    const back = await listed(fleet, instances.map(({ id }) => id), ended)
    const fair = (): number => shareOf(fleet, stopped, now() - window, now()) * instances.length
    await until(() => now() > back + window && fair() >= 0.8, { timeout: backWithin + 10_000, interval: 100 })
    const share = now() - ended

    const extra = (await caller.queries()).reads - asked
    const report = await caller.stop()
    const posts = failuresOf(report, 'post')
    return {
      ...totals(report),
      attempts: attempts(fleet),
      detect,
      recover: back - ended,
      queries: extra,
      note: `at 80 % of a fair share after ${(share / 1000).toFixed(1)} s (slow start); ` +
        `slowest: ${Math.round(slowest(report))} ms`,
      ...verdict(
        failed('GETs', failuresOf(report, 'get')),
        failed('POSTs that were not on the stopped one', posts.filter(({ sentTo }) => sentTo !== stopped.port)),
        twice(fleet),
        late('its share', share, backWithin))
    }
  }
}

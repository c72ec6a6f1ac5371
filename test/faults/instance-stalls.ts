import { setTimeout as delay } from 'node:timers/promises'
import { startConsul } from '../support/consul.ts'
import { until } from '../support/wait.ts'
import type { Fault } from './fault.ts'
import { startCaller } from './support/caller.ts'
import { service, startFleet, type Instance } from './support/fleet.ts'
import { now } from './support/monotonic.ts'
import { Picks } from './support/picks.ts'
import { startCalls } from './support/steady-calls.ts'
import { late, verdict } from './support/verdict.ts'

const perSecond = 300
const stopped = 10_000
/** Over which a share is taken. Milliseconds. */
const window = 2000
const backWithin = 30_000

export const fault: Fault = {
  name: 'instance-stalls',
  done: `one of 3 instances is stopped (SIGSTOP) for ${stopped / 1000} s at ${perSecond} GETs/s, and Consul, whose ` +
    'check comes once an hour, does not notice; strategy `peak-ewma`, `calls.timeout` 250 ms',
  promise: 'no call fails; within 1 s it gets less than 1 % of the attempts, and over 80 % of a fair share within ' +
    '30 s of its return',
  async run (t) {
    const { url } = await startConsul(t)
    const { instances } = await startFleet(t, { url, options: { check: { interval: '1h' } } })
    const [one] = instances as [Instance, ...Instance[]]
    const caller = startCaller(t, url, { balancer: { strategy: 'peak-ewma' }, calls: { timeout: '250ms' } })
    const picks = new Picks(t)
    const calls = startCalls(t, perSecond, () => caller.request(`http://${service}/work?id=1`))
    await until(() => calls.tally.requests > 3 * perSecond)

    const began = now()
    one.member.signal('SIGSTOP')
    await delay(stopped)
    one.member.signal('SIGCONT')
    const ended = now()
    const whileStopped = picks.shareOf(one.id, began + 1000, ended)
    const fair = (): number => picks.shareOf(one.id, now() - window, now()) * instances.length
    await until(() => now() > ended + window && fair() > 0.8, { timeout: backWithin + 10_000, interval: 100 })
    const recover = now() - window - ended

    const { requests, errors, failure } = await calls.end()
    return {
      requests,
      errors,
      attempts: picks.count,
      recover,
      note: `${(whileStopped * 100).toFixed(2)} % of the attempts while it was stopped, the first second aside`,
      ...verdict(
        errors > 0 && `${errors} calls failed (${failure})`,
        whileStopped >= 0.01 && `${(whileStopped * 100).toFixed(1)} % of the attempts went to it`,
        late('its share', recover, backWithin))
    }
  }
}

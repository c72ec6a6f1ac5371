import { setTimeout as delay } from 'node:timers/promises'
import type { ConsulOptions } from '../../lib/options/types.ts'
import type { ServiceRegistry } from '../../lib/registry.ts'
import { startConsul } from '../support/consul.ts'
import { until } from '../support/wait.ts'
import type { Fault } from './fault.ts'
import { startCaller } from './support/caller.ts'
import { attempts, service, startFleet, type Instance } from './support/fleet.ts'
import { now } from './support/monotonic.ts'
import { Picks } from './support/picks.ts'
import { startCalls, type CallTally } from './support/steady-calls.ts'
import { late, verdict } from './support/verdict.ts'

const perSecond = 300
const stopped = 10_000
/** Over which a share is taken. Milliseconds. */
const window = 2000
const backWithin = 30_000
/** Of the attempts, from a second after the stop on. 0 to 1. */
const allowed = 0.01

export const fault: Fault = {
  name: 'instance-stalls',
  done: `one of 3 instances is stopped (SIGSTOP) for ${stopped / 1000} s at ${perSecond} GETs/s, and Consul, whose ` +
    'check comes once an hour, does not notice; strategy `peak-ewma`, `calls.timeout` 250 ms; once with ejection, ' +
    'and once without',
  promise: `no call fails; within 1 s it has less than ${allowed * 100} % of the attempts, and over 80 % of a fair ` +
    `share within ${backWithin / 1000} s of its return`,
  async run (t) {
    const { url } = await startConsul(t)
    const fleet = await startFleet(t, { url, options: { check: { interval: '1h' } } })
    const [one] = fleet.instances as [Instance, ...Instance[]]
    const picks = new Picks(t)
    const stalls: Stall[] = []
    for (const outlier of [undefined, false] as const) {
      const options: ConsulOptions = { balancer: { strategy: 'peak-ewma' }, calls: { timeout: '250ms', outlier } }
      stalls.push(await stall(startCaller(t, url, options)))
    }
    return {
      requests: stalls.reduce((sum, { requests }) => sum + requests, 0),
      errors: stalls.reduce((sum, { errors }) => sum + errors, 0),
      attempts: attempts(fleet),
      recover: Math.max(...stalls.map(({ recover }) => recover)),
      note: stalls.map(({ share, recover }, index) => `${index === 0 ? 'with' : 'without'} ejection it had ` +
        `${percent(share)} while it was stopped, the first second aside, and was back after ` +
        `${(recover / 1000).toFixed(1)} s`).join('; '),
      ...verdict(...stalls.flatMap(({ errors, failure, share, recover }) => [
        errors > 0 && `${errors} calls failed (${failure})`,
        share >= allowed && `it had ${percent(share)}`,
        late('its share', recover, backWithin)
      ]))
    }

    async function stall (caller: ServiceRegistry): Promise<Stall> {
      const calls = startCalls(t, perSecond, () => caller.request(`http://${service}/work?id=1`))
      await until(() => calls.tally.requests > 3 * perSecond)
      const began = now()
      one.member.signal('SIGSTOP')
      await delay(stopped)
      one.member.signal('SIGCONT')
      const ended = now()
      const share = picks.shareOf(one.id, began + 1000, ended)
      const fair = (): number => picks.shareOf(one.id, now() - window, now()) * fleet.instances.length
      await until(() => now() > ended + window && fair() > 0.8, { timeout: backWithin + 10_000, interval: 100 })
      const recover = now() - window - ended
      return { ...await calls.end(), share, recover }
    }
  }
}

interface Stall extends CallTally {
  /** Of the attempts while it was stopped, the first second aside. 0 to 1. */
  readonly share: number
  /** Milliseconds from its return until the first window in which it had its share. */
  readonly recover: number
}

function percent (share: number): string {
  return `${(share * 100).toFixed(2)} % of the attempts`
}

import { setTimeout as delay } from 'node:timers/promises'
import { startConsul } from '../support/consul.ts'
import { until } from '../support/wait.ts'
import type { Fault } from './fault.ts'
import { inCatalog } from './support/catalog-of.ts'
import { attempts, idsOf, listed, queries, service, shortest, startFleet } from './support/fleet.ts'
import { now } from './support/monotonic.ts'
import { failed, failuresOf, late, totals, verdict } from './support/verdict.ts'

/** How long the list of the caller is looked at afterwards. */
const afterwards = 3000

export const fault: Fault = {
  name: 'agent-empty',
  done: 'the agent of all services is killed (SIGKILL) and starts again knowing nothing',
  promise: 'everyone is back in the catalog within 1 s of its first answer; callers never see a shorter list; ' +
    'no call fails',
  async run (t) {
    const consul = await startConsul(t)
    const fleet = await startFleet(t, { url: consul.url })
    const ids = idsOf(fleet)
    await fleet.caller.load({ service, rate: { get: 50, post: 50, plain: 20 } })
    await listed(fleet, ids, 0)
    const asked = await queries(fleet)

    await consul.kill('SIGKILL')
    await consul.launch()
    await until(() => consul.api('GET', '/v1/agent/services'), { what: 'an answer of the agent' })
    const answered = now()
    await until(async () => (await inCatalog(consul, service)).join() === ids.join(), { what: 'all in the catalog' })
    const recover = now() - answered
    await delay(afterwards)

    const extra = await queries(fleet) - asked
    const report = await fleet.caller.stop()
    const fewest = shortest(report.lists)
    return {
      ...totals(report),
      attempts: attempts(fleet),
      recover,
      queries: extra,
      note: `shortest list ${fewest} of ${ids.length}`,
      ...verdict(
        failed('calls', failuresOf(report)),
        late('the way back into the catalog', recover, 1000),
        fewest < ids.length && `the caller saw ${fewest} of ${ids.length}`)
    }
  }
}

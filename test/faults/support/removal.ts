import { startConsul, type ConsulAgent } from '../../support/consul.ts'
import { until } from '../../support/wait.ts'
import type { FaultContext, Figures } from '../fault.ts'
import { inCatalog, placeOf } from './catalog-of.ts'
import { attempts, idsOf, listed, queries, service, startFleet } from './fleet.ts'
import { now } from './monotonic.ts'
import { failed, failuresOf, late, totals, verdict } from './verdict.ts'

/** Milliseconds. */
const backWithin = 1000

/** Something of an instance is removed by hand, while it is called. It must come back. */
export async function removal (
  t: FaultContext, remove: (consul: ConsulAgent, id: string, place: { node: string, check: string }) => Promise<unknown>
): Promise<Figures> {
  const consul = await startConsul(t)
  const fleet = await startFleet(t, { url: consul.url })
  const ids = idsOf(fleet)
  const [id] = ids as [string]
  await fleet.caller.load({ service, rate: { get: 50, post: 50, plain: 20 } })
  await listed(fleet, ids, 0)
  const asked = await queries(fleet)

  await remove(consul, id, await placeOf(consul, service, id))
  const removed = now()
  await until(async () => (await inCatalog(consul, service)).join() === ids.join(), { what: `${id} with its check` })
  const recover = now() - removed
  await listed(fleet, ids, removed)

  const extra = await queries(fleet) - asked
  const report = await fleet.caller.stop()
  return {
    ...totals(report),
    attempts: attempts(fleet),
    recover,
    queries: extra,
    ...verdict(failed('calls', failuresOf(report)), late('the way back', recover, backWithin))
  }
}

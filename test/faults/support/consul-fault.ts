import { setTimeout as delay } from 'node:timers/promises'
import type { ConsulOptions } from '../../../lib/index.ts'
import type { ConsulAgent } from '../../support/consul.ts'
import type { FaultContext, Figures } from '../fault.ts'
import { attempts, idsOf, listed, members, queries, service, shortest, startFleet, type Fleet } from './fleet.ts'
import type { LoadReport } from './load.ts'
import { now } from './monotonic.ts'
import { failed, failuresOf, late, totals, verdict } from './verdict.ts'

export interface ConsulFault {
  /** The agent of all services. */
  consul: ConsulAgent
  /** The way to it. Default: its own address. */
  url?: string
  options?: ConsulOptions
  /** Of the caller, over `options`. */
  caller?: ConsulOptions
  begin (fleet: Fleet): unknown
  /** How long the fault lasts. Milliseconds. */
  lasts: number
  /** Resolves once Consul is as it was before. */
  end (fleet: Fleet): unknown
  /** Within that long after the end callers know what is new. Default 2 s, in milliseconds. */
  freshWithin?: number
  /** Broken promises of this fault's own. */
  judge? (report: LoadReport, fleet: Fleet): Array<string | false>
}

const mostLines = 3

/** Consul is in trouble while services call each other; then something changes, which callers must come to know. */
export async function consulFault (t: FaultContext, fault: ConsulFault): Promise<Figures> {
  const { consul, options = {}, caller = {}, lasts, freshWithin = 2000, judge = () => [] } = fault
  const fleet = await startFleet(t, { url: fault.url ?? consul.url, options, caller })
  await fleet.caller.load({ service, rate: { get: 50, post: 50, plain: 20 } })
  await listed(fleet, idsOf(fleet), 0)
  const [asked, lines] = [await queries(fleet), linesOf(fleet)]

  const began = now()
  await fault.begin(fleet)
  await delay(lasts)
  await fault.end(fleet)
  const ended = now()
  const fewest = shortest(await fleet.caller.lists())
  const recover = await news(fleet, consul) - ended

  const extra = await queries(fleet) - asked
  const report = await fleet.caller.stop()
  const written = linesOf(fleet).map((after, index) => after.slice(lines[index]?.length))
  const most = Math.max(...written.map(({ length }) => length))
  for (const { msg } of written.find(({ length }) => length === most) ?? []) t.log(`log: ${msg}`)
  const [first = Infinity] = written.flat().map(({ at }) => at - began).sort((a, b) => a - b)
  return {
    ...totals(report),
    attempts: attempts(fleet),
    ...(first < ended - began && { detect: first }),
    recover,
    queries: extra,
    note: `at most ${most} log lines a process; shortest list ${fewest} of ${fleet.instances.length}`,
    ...verdict(
      failed('calls', failuresOf(report)),
      most > mostLines && `${most} log lines in one process`,
      late('news', recover, freshWithin),
      ...judge(report, fleet))
  }
}

/** An instance goes into maintenance and comes back. When the caller heard of the first. */
async function news (fleet: Fleet, { api }: ConsulAgent): Promise<number> {
  const ids = idsOf(fleet)
  const [away = '', ...others] = ids
  const since = now()
  const { status, text } = await api('PUT', `/v1/agent/service/maintenance/${away}?enable=true`)
  if (status !== 200) throw new Error(`no maintenance: ${text}`)
  const heard = await listed(fleet, others, since)
  await api('PUT', `/v1/agent/service/maintenance/${away}?enable=false`)
  await listed(fleet, ids, heard)
  return heard
}

function linesOf (fleet: Fleet): Array<Array<{ at: number, msg: string }>> {
  return members(fleet).map(({ lines }) => [...lines])
}

import { startConsul } from '../support/consul.ts'
import type { Fault } from './fault.ts'
import type { ChurnOwnFigures } from './subjects/churn-own.ts'
import { startSubject } from './support/subject.ts'
import { verdict } from './support/verdict.ts'

const churns = 10_000
/** Between two looks. */
const round = 1000
const megabytes = 5

export const fault: Fault = {
  name: 'churn-of-own',
  done: `${churns} times a registry registers its service and deregisters it, ten times each before it is closed`,
  promise: `each is seen in the catalog and seen to be gone; the heap grows by less than ${megabytes} MB, and no ` +
    'socket or timer is left',

  async run (t) {
    // 60 registries at a time are 60 processes elsewhere: the agent counts what one address has open.
    const { api, url } = await startConsul(t, { config: { limits: { http_max_conns_per_client: 1000 } } })
    const subject = await startSubject<ChurnOwnFigures>(t, 'churn-own', { url, round })
    const before = await subject.figures()
    let after = before
    while (after.churns - before.churns < churns) after = await subject.figures()
    const { json: left } = await api<object>('GET', '/v1/agent/services')
    const growth = after.heap - before.heap
    return {
      note: `heap ${before.heap.toFixed(1)} MB before, ${after.heap.toFixed(1)} MB after; sockets ${before.sockets} ` +
        `and ${after.sockets}, timers ${before.timers} and ${after.timers}`,
      ...verdict(
        after.failures > 0 && `${after.failures} registrations failed`,
        Object.keys(left).length > 0 && `${Object.keys(left).length} services are left at the agent`,
        growth >= megabytes && `the heap grew by ${growth.toFixed(1)} MB`,
        after.sockets > before.sockets && `${after.sockets - before.sockets} sockets are left`,
        after.timers > before.timers && `${after.timers - before.timers} timers are left`
      )
    }
  }
}

import { startConsul } from '../support/consul.ts'
import type { Fault } from './fault.ts'
import type { ChurnCallerFigures } from './subjects/churn-caller.ts'
import { startBackends, type Backend } from './support/backends.ts'
import { startSubject } from './support/subject.ts'
import { verdict } from './support/verdict.ts'

const name = 'churning'
const churns = 10_000
/** Churns before the first look: until then code is compiled and buffers grow to their size. */
const warmUp = 1000
/** Instances that are registered at a time. */
const standing = 20
const megabytes = 5

export const fault: Fault = {
  name: 'churn-of-others',
  done: `${churns} instances of a service are registered and deregistered one after the other, ${standing} standing ` +
    'at a time, while a caller sends it 100 requests a second',
  promise: `0 failed calls; the caller's heap grows by less than ${megabytes} MB, and no socket or timer is left`,

  async run (t) {
    const { api, url } = await startConsul(t)
    const backends = await startBackends(t, standing)
    await churn(0, standing)
    const subject = await startSubject<ChurnCallerFigures>(t, 'churn-caller', { url, name })
    await churn(standing, warmUp)
    const before = await subject.figures()
    const began = performance.now()
    await churn(warmUp, warmUp + churns)
    const seconds = (performance.now() - began) / 1000
    const after = await subject.figures()
    const growth = after.heap - before.heap
    const { requests, errors, failure } = after
    return {
      requests,
      errors,
      note: `${(churns / seconds).toFixed(0)} a second; heap ${before.heap.toFixed(1)} MB before, ` +
        `${after.heap.toFixed(1)} MB after; sockets ${before.sockets} and ${after.sockets}, timers ${before.timers} ` +
        `and ${after.timers}`,
      ...verdict(
        errors > 0 && `${errors} calls failed (${failure})`,
        growth >= megabytes && `the heap grew by ${growth.toFixed(1)} MB`,
        after.sockets > before.sockets && `${after.sockets - before.sockets} sockets are left`,
        after.timers > before.timers && `${after.timers - before.timers} timers are left`
      )
    }

    async function churn (from: number, to: number): Promise<void> {
      for (let number = from; number < to; number++) {
        const { port } = backends[number % standing] as Backend
        const instance = { Name: name, ID: `${name}-${number}`, Address: '127.0.0.1', Port: port }
        await api('PUT', '/v1/agent/service/register', instance)
        if (number >= standing) await api('PUT', `/v1/agent/service/deregister/${name}-${number - standing}`)
      }
    }
  }
}

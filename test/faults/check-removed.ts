import type { Fault } from './fault.ts'
import { removal } from './support/removal.ts'

export const fault: Fault = {
  name: 'check-removed',
  done: 'the check of an instance is removed by hand, at the agent',
  promise: 'it is back within 1 s; no call fails',
  async run (t) {
    return await removal(t, ({ api }, _id, { check }) => api('PUT', `/v1/agent/check/deregister/${check}`))
  }
}

import { startConsul } from '../support/consul.ts'
import { startProxy } from '../support/proxy.ts'
import type { Fault } from './fault.ts'
import { consulFault } from './support/consul-fault.ts'

const resetting = 10_000
/** Headers and the beginning of a body. */
const bytes = 400

export const fault: Fault = {
  name: 'agent-reset',
  done: 'for 10 s every connection to the agent is reset in the middle of an answer',
  promise: 'no call fails, at most 3 log lines a process, news within 2 s of its end',
  async run (t) {
    const consul = await startConsul(t)
    const proxy = await startProxy(t, consul)
    return await consulFault(t, {
      consul,
      url: proxy.url,
      options: { discovery: { wait: '1s' } },
      lasts: resetting,
      begin: () => proxy.limit(bytes),
      end: () => {
        proxy.limit(Infinity)
        proxy.reset()
      }
    })
  }
}

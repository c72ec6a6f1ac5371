import { startConsul } from '../support/consul.ts'
import { startProxy } from '../support/proxy.ts'
import type { Fault } from './fault.ts'
import { consulFault } from './support/consul-fault.ts'

const swallowing = 20_000

export const fault: Fault = {
  name: 'agent-black-hole',
  done: 'for 20 s every byte to and from the agent is swallowed; the connections of before never work again; ' +
    '`discovery.wait` 5 s',
  promise: 'no call fails, at most 3 log lines a process, news within 2 s of its end',
  async run (t) {
    const consul = await startConsul(t)
    const proxy = await startProxy(t, consul)
    return await consulFault(t, {
      consul,
      url: proxy.url,
      options: { discovery: { wait: '5s' } },
      lasts: swallowing,
      begin: () => proxy.blackhole(true),
      end: () => proxy.forget()
    })
  }
}

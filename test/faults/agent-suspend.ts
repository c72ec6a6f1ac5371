import { startConsul } from '../support/consul.ts'
import type { Fault } from './fault.ts'
import { consulFault } from './support/consul-fault.ts'

const suspended = 20_000

export const fault: Fault = {
  name: 'agent-suspend',
  done: 'the agent of all services is stopped (SIGSTOP) for 20 s: its sockets stay open, nothing answers; ' +
    '`discovery.wait` 5 s',
  promise: 'no call fails, at most 3 log lines a process, news within 2 s of its return',
  async run (t) {
    const consul = await startConsul(t)
    return await consulFault(t, {
      consul,
      options: { discovery: { wait: '5s' } },
      lasts: suspended,
      begin: () => consul.suspend(),
      end: () => consul.resume()
    })
  }
}

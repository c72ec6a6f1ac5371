import { startConsul } from '../support/consul.ts'
import type { Fault } from './fault.ts'
import { consulFault } from './support/consul-fault.ts'

const away = 60_000

export const fault: Fault = {
  name: 'agent-kill',
  done: 'the agent of all services is killed (SIGKILL) and comes back with its state after 60 s',
  promise: 'no call fails, at most 3 log lines a process, news within 2 s of its return',
  async run (t) {
    const consul = await startConsul(t, { persist: true })
    return await consulFault(t, {
      consul,
      lasts: away,
      begin: () => consul.kill('SIGKILL'),
      end: () => consul.start()
    })
  }
}

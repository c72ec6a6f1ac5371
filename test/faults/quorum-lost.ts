import { startCluster } from '../support/consul-cluster.ts'
import type { ConsulAgent } from '../support/consul.ts'
import type { Fault } from './fault.ts'
import { consulFault } from './support/consul-fault.ts'

const without = 30_000

export const fault: Fault = {
  name: 'quorum-lost',
  done: 'two of three servers are killed (SIGKILL) and come back after 30 s; the third is the agent of all services',
  promise: 'no call fails, at most 3 log lines a process, news within 2 s of the new leader',
  async run (t) {
    const { servers } = await startCluster(t)
    const [consul, ...others] = servers as [ConsulAgent, ConsulAgent, ConsulAgent]
    return await consulFault(t, {
      consul,
      lasts: without,
      begin: () => Promise.all(others.map(server => server.kill('SIGKILL'))),
      end: async () => {
        await Promise.all(others.map(server => server.launch()))
        await consul.ready()
      }
    })
  }
}

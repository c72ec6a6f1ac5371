import { startCluster } from '../support/consul-cluster.ts'
import type { ConsulAgent } from '../support/consul.ts'
import type { Fault } from './fault.ts'
import { consulFault } from './support/consul-fault.ts'

export const fault: Fault = {
  name: 'leader-kill',
  done: 'the leader of three servers is killed (SIGKILL); another server is the agent of all services',
  promise: 'no call fails, at most 3 log lines a process, news within 2 s of the new leader',
  async run (t) {
    const cluster = await startCluster(t)
    const leader = await cluster.leader()
    const consul = cluster.servers.find(server => server !== leader) as ConsulAgent
    return await consulFault(t, {
      consul,
      lasts: 0,
      begin: () => leader.kill('SIGKILL'),
      end: async () => {
        while (await cluster.leader(consul) === leader);
        await consul.ready()
      }
    })
  }
}

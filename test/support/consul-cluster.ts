import { createConsul, type ConsulAgent, type ConsulOptions } from './consul.ts'
import type { Teardown } from './teardown.ts'
import { until } from './wait.ts'

/** Three servers of one cluster, each on a loopback address of its own, with a leader. They end with the test. */
export async function startCluster (t: Teardown, options: ConsulOptions = {}): Promise<ConsulCluster> {
  // Linux has all of 127.0.0.0/8; tests that run at the same time take different subnets.
  const subnet = `127.${1 + process.pid % 250}.${Math.floor(Math.random() * 256)}`
  const servers: ConsulAgent[] = []
  for (const number of [1, 2, 3]) {
    const first = servers[0]
    servers.push(await createConsul(t, {
      ...options,
      persist: true,
      host: `${subnet}.${number}`,
      config: {
        ...options.config,
        node_name: `server-${number}`,
        bootstrap_expect: 3,
        retry_interval: '200ms',
        retry_join: first === undefined ? [] : [first.gossipAddress]
      }
    }))
  }
  for (const server of servers) await server.launch()
  const cluster = new ConsulCluster(servers)
  await Promise.all(servers.map(server => server.ready()))
  return cluster
}

export class ConsulCluster {
  readonly servers: readonly ConsulAgent[]

  constructor (servers: readonly ConsulAgent[]) {
    this.servers = servers
  }

  /** An agent that is no server, as on every machine with services: it forwards to whichever server answers. */
  async startClient (t: Teardown): Promise<ConsulAgent> {
    const [{ host }] = this.servers as [ConsulAgent]
    const client = await createConsul(t, {
      persist: true,
      host: host.replace(/\d+$/, '4'),
      config: {
        node_name: 'client',
        server: false,
        bootstrap_expect: 0,
        retry_interval: '200ms',
        retry_join: this.servers.map(({ gossipAddress }) => gossipAddress)
      }
    })
    await client.start()
    return client
  }

  /** The server that leads now, as `server` (default: any) sees it. */
  async leader (server?: ConsulAgent): Promise<ConsulAgent> {
    return until(async () => {
      for (const asked of server === undefined ? this.servers : [server]) {
        const answer = await asked.api<string>('GET', '/v1/status/leader').catch(() => undefined)
        const leader = this.servers.find(({ host }) => answer?.json.startsWith(`${host}:`))
        if (leader !== undefined) return leader
      }
      return undefined
    }, { timeout: 20_000, what: 'a leader' })
  }
}

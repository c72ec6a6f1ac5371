import t from 'tap'
import { messages } from './lifecycle/app.ts'
import { testRegistry } from './lifecycle/registry.ts'
import { startCluster } from './support/consul-cluster.ts'
import { until } from './support/wait.ts'

const skip = process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8'

t.test('an agent that looks for a leader for longer than timeout is no lost connection', { skip }, async t => {
  const cluster = await startCluster(t)
  const leader = await cluster.leader()
  const agent = cluster.servers.find(server => server !== leader)!
  const { registry, lines } = testRegistry(t, 'web', 1, {
    url: agent.url, drain: { timeout: 0 }, discovery: { consistency: 'default', wait: '1s' }
  })
  await registry.register()
  await until(async () => (await registry.discover('web')).length === 1)
  for (const server of cluster.servers) if (server !== agent) await server.kill()
  await until(() => registry.explain('web').error?.endsWith('No cluster leader'), { timeout: 30_000 })
  t.equal((await registry.discover('web')).length, 1)
  t.same(messages(lines, 'warn', 'error'), ['Consul does not list a service; what is known of it is kept'])
})

import t from 'tap'
import { startCluster } from './consul-cluster.ts'
import { until } from './wait.ts'

t.test('three servers elect a new leader when theirs is killed', {
  skip: process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8'
}, async t => {
  const cluster = await startCluster(t)
  const leader = await cluster.leader()
  await leader.kill()
  const others = cluster.servers.filter(server => server !== leader)
  const next = await until(async () => {
    const seen = await cluster.leader(others[0])
    return seen !== leader && seen
  }, { timeout: 20_000, what: 'a new leader' })
  t.not(next, leader)
})

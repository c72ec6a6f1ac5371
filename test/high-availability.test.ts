// The drill of docs/high-availability.md on three real servers and a client agent. Its comments are the page's figures.
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { createServiceRegistry, type ServiceRegistry } from '../lib/index.ts'
import { startCalls, type SteadyCalls } from './faults/support/steady-calls.ts'
import { collectingLogger } from './health/collecting-logger.ts'
import { testApp } from './lifecycle/app.ts'
import { entriesOf } from './lifecycle/catalog.ts'
import { startCluster } from './support/consul-cluster.ts'
import type { ConsulAgent } from './support/consul.ts'
import { until } from './support/wait.ts'

const skip = process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8'
const patience = { timeout: 30_000 }

t.setTimeout(120_000)

/** Three instances, `3` at the second agent, whose caller sends them 100 requests a second, every other one a POST. */
async function fleet (t: Test, agent: ConsulAgent, other = agent): Promise<Fleet> {
  const start = async (id: string, { url } = agent): Promise<FastifyInstance> => {
    const { app } = await testApp(t, {
      url,
      service: { name: 'orders', id },
      routes: app => app.post('/', async () => 'ordered')
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    return app
  }
  const apps = await Promise.all([start('1'), start('2'), start('3', other)])
  const caller = callerAt(t, other)
  await until(async () => await idsOf(caller) === '1,2,3')
  let sent = 0
  const calls = startCalls(t, 100, () => caller.request('http://orders/', { method: sent++ % 2 === 0 ? 'GET' : 'POST' }))
  return { start, apps, caller, calls }
}

function callerAt (t: Test, { url }: ConsulAgent): ServiceRegistry {
  const caller = createServiceRegistry('caller', 1, { url, logger: collectingLogger().logger })
  t.teardown(() => caller.close())
  return caller
}

async function idsOf (caller: ServiceRegistry): Promise<string> {
  return (await caller.discover('orders')).map(({ id }) => id).sort().join()
}

interface Fleet {
  start: (id: string) => Promise<FastifyInstance>
  apps: FastifyInstance[]
  caller: ServiceRegistry
  calls: SteadyCalls
}

t.test('the leader is lost: no call fails, and what starts meanwhile is found under the new one', { skip }, async t => {
  const cluster = await startCluster(t)
  const client = await cluster.startClient(t)
  const { start, caller, calls } = await fleet(t, client)
  const leader = await cluster.leader(client)

  const killed = performance.now()
  await leader.kill()
  await start('4')
  await until(async () => await cluster.leader(client) !== leader, patience)
  const elected = performance.now()
  await until(async () => (await entriesOf(client, 'orders')).length === 4, patience)
  const listed = performance.now()
  await until(async () => await idsOf(caller) === '1,2,3,4', patience)
  const known = performance.now()
  t.comment(`a new leader after ${seconds(elected - killed)}, what started is listed by Consul after another ` +
    `${seconds(listed - elected)}, and known to callers ${seconds(known - listed)} later`)

  await leader.start()
  t.equal(await idsOf(caller), '1,2,3,4')
  const { requests, errors, failure } = await calls.end()
  t.comment(`${requests} requests`)
  t.equal(errors, 0, `no call failed: ${failure}`)
})

t.test('the quorum is lost: calls go on, and what changed meanwhile is known when it is back', { skip }, async t => {
  const cluster = await startCluster(t)
  const client = await cluster.startClient(t)
  const { start, apps: [first], caller, calls } = await fleet(t, client)
  const [, ...lost] = cluster.servers
  await Promise.all(lost.map(server => server.kill()))
  await until(async () => (await client.api<string>('GET', '/v1/status/leader')).json === '', patience)

  const asked = performance.now()
  t.equal(await idsOf(callerAt(t, client)), '1,2,3', 'a process that starts now finds the others')
  t.comment(`a first discover() without a leader took ${seconds(performance.now() - asked)}`)

  const app = await start('4')
  const leaving = performance.now()
  await first?.close()
  t.comment(`close() without a leader took ${seconds(performance.now() - leaving)}`)
  t.equal(await idsOf(caller), '1,2,3', 'the catalog cannot change')
  t.not(app.consul.registration.state, 'registered')
  const { requests } = calls.tally
  await until(() => calls.tally.requests > requests + 200)
  t.equal(calls.tally.errors, 0, `no call failed: ${calls.tally.failure}`)

  await Promise.all(lost.map(server => server.launch()))
  await until(async () => (await client.api<string>('GET', '/v1/status/leader')).json !== '', patience)
  const elected = performance.now()
  await until(async () => await idsOf(caller) === '2,3,4', { timeout: 60_000, what: 'who came and who left' })
  t.comment(`what changed is known to callers ${seconds(performance.now() - elected)} after the new leader`)
  t.equal(caller.explain('orders').error, undefined)
  t.equal((await calls.end()).errors, 0, `no call failed: ${calls.tally.failure}`)
})

t.test('the agent of a machine is lost: only that machine goes on calling its services', { skip }, async t => {
  const cluster = await startCluster(t)
  const client = await cluster.startClient(t)
  const [server] = cluster.servers as [ConsulAgent]
  const { caller, calls } = await fleet(t, client, server)
  const beside = callerAt(t, client)
  await until(async () => await idsOf(beside) === '1,2,3')

  const killed = performance.now()
  await client.kill()
  await until(async () => await idsOf(caller) === '3', patience)
  t.comment(`others stopped calling its services after ${seconds(performance.now() - killed)}`)
  t.equal(await idsOf(beside), '1,2,3', 'its own callers have the last list')
  t.equal((await beside.request('http://orders/')).statusCode, 200)

  await client.start()
  const back = performance.now()
  await until(async () => await idsOf(caller) === '1,2,3', patience)
  t.comment(`and called them again ${seconds(performance.now() - back)} after it was back`)
  t.equal((await calls.end()).errors, 0, `no call failed: ${calls.tally.failure}`)
})

function seconds (milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`
}

import t, { type Test } from 'tap'
import { withoutOptions } from './examples/boot.ts'
import { messages } from './lifecycle/app.ts'
import { agentService, gone, registered } from './lifecycle/catalog.ts'
import { testRegistry } from './lifecycle/registry.ts'
import { startConsul, type ConsulAgent } from './support/consul.ts'
import { startCountingProxy, type CountingProxy } from './support/counting-proxy.ts'
import { startScript, type Script } from './support/process.ts'
import { until } from './support/wait.ts'

const writesOf = (...proxies: CountingProxy[]): string[] => proxies.flatMap(({ requests }) =>
  requests.filter(({ method, url }) => method === 'PUT' && !url.includes('/check/update/')).map(({ url }) => url))

interface Contest {
  consul: ConsulAgent
  proxies: [CountingProxy, CountingProxy]
  /** The one that has the id, and the one that has given it up. */
  winner: ReturnType<typeof testRegistry>
  loser: ReturnType<typeof testRegistry>
}

/** Two services under one id, after it was settled. */
async function contest (t: Test, type: 'http' | 'ttl'): Promise<Contest> {
  const consul = await startConsul(t)
  const proxies = [await startCountingProxy(t, consul.url), await startCountingProxy(t, consul.url)] as const
  const [first, second] = ([9501, 9502] as const).map((port, index) => testRegistry(t, 'contested', port, {
    url: proxies[index]!.url, service: { id: 'contested', address: '127.0.0.1' }, check: { type, interval: '1h' }
  })) as [ReturnType<typeof testRegistry>, ReturnType<typeof testRegistry>]
  await first.registry.register()
  await until(() => first.registry.registration.state === 'registered')
  await second.registry.register()
  const both = [first, second]
  const loser = await until(() => both.find(({ registry }) => registry.registration.state === 'conflict'))
  const winner = loser === first ? second : first
  await until(() => winner.registry.registration.state === 'registered', { timeout: 30_000 })
  return { consul, proxies: [...proxies], winner, loser }
}

for (const type of ['http', 'ttl'] as const) {
  t.test(`two services with a ${type} check and one id: one stops, a line names both addresses`, async t => {
    const { consul, proxies, winner, loser } = await contest(t, type)
    const count = writesOf(...proxies).length
    t.comment(`${count} writes`)
    t.ok(count <= 10, `${count} writes`)
    t.match(loser.registry.registration, {
      error: { code: 'FST_CONSUL_CONFLICT', message: /contested.*127\.0\.0\.1:950\d.*127\.0\.0\.1:950\d/ }
    })
    const told = loser.lines.filter(({ level }) => level === 'error')
    t.equal(told.length, 1)
    t.match(told[0]?.message, /127\.0\.0\.1:9501.*/)
    t.match(told[0]?.message, /127\.0\.0\.1:9502.*/)
    t.same(winner.lines.filter(({ level }) => level === 'error'), [])
    await t.rejects(loser.registry.maintenance(true), { code: 'FST_CONSUL_CONFLICT' }, 'the entry is the other\'s')
    const port = winner.registry.registration.state === 'registered' && (await agentService(consul, 'contested'))?.Port
    await loser.registry.health.check()
    await loser.registry.client.leader()
    t.equal(writesOf(...proxies).length, count, 'and nothing more')

    await loser.registry.close()
    t.equal((await agentService(consul, 'contested'))?.Port, port, 'the entry of the other stays when it leaves')
    t.equal(loser.registry.registration.state, 'stopped')
    t.match(messages(loser.lines).at(-1), /^Not deregistered: another process/)
    await winner.registry.close()
    await gone(consul, 'contested')
  })
}

t.test('when the other one leaves, the id is free, and the service is registered again', async t => {
  const { consul, winner, loser } = await contest(t, 'ttl')
  await winner.registry.close()
  await until(() => loser.registry.registration.state === 'registered', { timeout: 30_000 })
  const { Service: { Port } } = await registered(consul, 'contested', 'passing')
  t.ok([9501, 9502].includes(Port ?? 0))
  t.equal(loser.registry.registration.error, undefined)
  await loser.registry.close()
  await gone(consul, 'contested')
})

t.test('two processes with one id make at most ten writes together', async t => {
  const consul = await startConsul(t)
  const proxy = await startCountingProxy(t, consul.url)
  const script = new URL('lifecycle/contender.ts', import.meta.url)
  const env = { ...withoutOptions(), CONSUL_URL: proxy.url }
  const contender = (port: string): Promise<Script> => startScript(t, script, { args: [port], env })
  const first = await contender('9501')
  await first.line(/state registered/)
  const second = await contender('9502')
  const states = (): string[] => [first, second]
    .map(({ lines }) => lines.findLast(line => line.startsWith('state ')) ?? '').sort()
  await until(() => String(states()) === 'state conflict,state registered', { timeout: 30_000 })
  t.ok(writesOf(proxy).length <= 10, writesOf(proxy).join('\n'))
  for (const process of [first, second]) {
    process.signal('SIGTERM')
    t.same(await process.ended, { code: 0, signal: null })
  }
  await gone(consul, 'contested')
})

t.test('processes that share a port share the entry: nobody fights', async t => {
  const consul = await startConsul(t)
  const proxy = await startCountingProxy(t, consul.url)
  const worker = (): ReturnType<typeof testRegistry> => testRegistry(t, 'shared', 9503, {
    url: proxy.url, service: { id: 'shared' }, check: { type: 'tcp', interval: '1h' }
  })
  const [first, second] = [worker(), worker()]
  await first.registry.register()
  await until(() => first.registry.registration.state === 'registered')
  await second.registry.register()
  await until(() => second.registry.registration.state === 'registered')
  // The first has seen it when it notices what comes later.
  await consul.api('PUT', '/v1/agent/service/maintenance/shared?enable=true&reason=x')
  await until(async () => (await first.registry.discover('shared')).length === 0)
  t.equal(first.registry.registration.state, 'registered')
  t.equal(writesOf(proxy).length, 3, 'two registrations, and a check that is dropped')
})

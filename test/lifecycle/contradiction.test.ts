import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { WireHealthEntry } from '../../lib/consul/wire.ts'
import type { HealthCheck } from '../../lib/options/types.ts'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { freePort } from '../support/ports.ts'
import { once, until } from '../support/wait.ts'
import { listeningApp } from './app.ts'
import { checkOutput, checksOf, registered } from './catalog.ts'

const consul = await startConsul(t)
const line = 'Consul\'s check fails although the service is ready: can the agent reach it there?'

t.test('an address that the agent cannot reach is told once, with the check\'s output', async t => {
  const port = await freePort() // Nothing listens there.
  const { lines } = await listeningApp(t, {
    url: consul.url, service: { name: 'elsewhere', port }, check: { interval: '1s' }
  })
  const told = await until(() => lines.find(({ message }) => message === line), { timeout: 15_000 })
  t.match(told, { level: 'warn', details: { check: `http://127.0.0.1:${port}/health/ready`, output: /connection refused/ } })
  const server = createServer(answerOk)
  t.teardown(() => server.close())
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  await registered(consul, 'elsewhere', 'passing')
  server.close()
  await registered(consul, 'elsewhere', 'critical')
  await until(() => lines.filter(({ message }) => message === line).length === 2, { timeout: 15_000 })
  t.pass('and again in the next episode')
})

/** Not before it is asked: that would be no answer. */
function answerOk (socket: Socket): void {
  socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n'))
}

/** Every status of the service from now on, in the catalog. */
function statuses (t: Test, name: string): string[] {
  const seen: string[] = []
  const ended = new AbortController()
  t.teardown(() => ended.abort())
  const look = async (): Promise<void> => {
    for (let index = '1'; !ended.signal.aborted;) {
      const { headers, json } = await consul.api<WireHealthEntry[]>(
        'GET', `/v1/health/service/${name}?index=${index}&wait=1s`)
      index = String(headers['x-consul-index'])
      const checks = json.flatMap(({ Checks }) => Checks).filter(({ ServiceID }) => ServiceID !== '')
      seen.push(...checks.map(({ Status }) => Status))
    }
  }
  look().catch(() => {})
  return seen
}

t.test('removed by Consul, what it cannot reach comes back critical, and is for its check to find better', async t => {
  const port = await freePort()
  const proxy = await startCountingProxy(t, consul.url)
  const { app, lines } = await listeningApp(t, {
    url: proxy.url, service: { name: 'removed', id: 'removed', port }, check: { interval: '2s' }
  })
  const count = (message: string): number => lines.filter(told => told.message === message).length
  await until(() => count(line) === 1, { timeout: 15_000 })
  const seen = statuses(t, 'removed')
  for (const round of [1, 2]) {
    await consul.api('PUT', '/v1/agent/service/deregister/removed') // As Consul does after `deregisterAfter`.
    await until(() => count('The registration was lost and is written again') === round)
    await until(() => app.consul.registration.state === 'registered')
    await registered(consul, 'removed', 'critical')
  }
  t.match(await checkOutput(consul, 'removed'), /refused/, 'its check has run since')
  t.notOk(seen.includes('passing'), seen.join())
  t.equal(count(line), 1, 'it is the same episode')

  const server = createServer(answerOk)
  t.teardown(() => server.close())
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  await registered(consul, 'removed', 'passing')
  t.equal(proxy.count('/v1/agent/service/register'), 3, 'nothing was written but what was lost')
  await until(async () => (await app.discover('removed')).length === 1)
  await consul.api('PUT', '/v1/agent/service/deregister/removed')
  const back = await until(async () => (await checksOf(consul, 'removed')).at(0))
  t.equal(back.Status, 'passing', 'what Consul reaches comes back as it was')
})

t.test('while the own checks fail too there is nothing to tell; it is told when they pass', async t => {
  let status: 'healthy' | 'unhealthy' = 'unhealthy'
  const check: HealthCheck = { name: 'own', run: () => ({ status }) }
  const { app, lines } = await listeningApp(t, {
    url: consul.url,
    service: { name: 'doubly', port: await freePort() },
    check: { interval: '1s' },
    health: { checks: [check], cacheFor: 0 }
  })
  await registered(consul, 'doubly', 'critical')
  const runs = await app.consul.health.check()
  t.equal(runs.status, 'unhealthy')
  t.notOk(lines.some(({ message }) => message === line))
  status = 'healthy'
  await until(() => lines.some(({ message }) => message === line), { timeout: 15_000 })
})

t.test('with the health checks closed there is nothing to hold against Consul\'s, and nothing breaks', async t => {
  const { app, lines } = await listeningApp(t, {
    url: consul.url, service: { name: 'unasked', port: await freePort() }, check: { interval: '1s' }
  })
  await until(() => app.consul.registration.state === 'registered')
  const checks = t.capture(app.consul.health, 'check', app.consul.health.check)
  app.consul.health.close()
  await registered(consul, 'unasked', 'critical')
  await until(() => checks().length > 0)
  t.notOk(lines.some(({ message }) => message === line))
})

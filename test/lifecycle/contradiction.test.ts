import t from 'tap'
import { createServer } from 'node:net'
import type { HealthCheck } from '../../lib/options/types.ts'
import { startConsul } from '../support/consul.ts'
import { freePort } from '../support/ports.ts'
import { once, until } from '../support/wait.ts'
import { listeningApp } from './app.ts'
import { registered } from './catalog.ts'

const consul = await startConsul(t)
const line = 'Consul\'s check fails although the service is ready: can the agent reach it there?'

t.test('an address that the agent cannot reach is told once, with the check\'s output', async t => {
  const port = await freePort() // Nothing listens there.
  const { lines } = await listeningApp(t, {
    url: consul.url, service: { name: 'elsewhere', port }, check: { interval: '1s' }
  })
  const told = await until(() => lines.find(({ message }) => message === line), { timeout: 15_000 })
  t.match(told, { level: 'warn', details: { check: `http://127.0.0.1:${port}/health/ready`, output: /connection refused/ } })
  const server = createServer(socket => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n'))
  t.teardown(() => server.close())
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  await registered(consul, 'elsewhere', 'passing')
  server.close()
  await registered(consul, 'elsewhere', 'critical')
  await until(() => lines.filter(({ message }) => message === line).length === 2, { timeout: 15_000 })
  t.pass('and again in the next episode')
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
  await registered(consul, 'unasked', 'critical')
  const checks = t.capture(app.consul.health, 'check', app.consul.health.check)
  app.consul.health.close()
  await until(() => checks().length > 0)
  t.notOk(lines.some(({ message }) => message === line))
})

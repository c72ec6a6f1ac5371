import t, { type Test } from 'tap'
import { listeningApp, messages } from './lifecycle/app.ts'
import { checksOf, entriesOf, gone, registered } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { freePort } from './support/ports.ts'
import { startScript, type Script } from './support/process.ts'
import { until } from './support/wait.ts'

const consul = await startConsul(t)
const { url } = consul

async function startService (t: Test, name: string, port: number): Promise<Script> {
  return startScript(t, new URL('lifecycle/service.ts', import.meta.url), {
    env: { CONSUL_URL: url, SERVICE_NAME: name, PORT: String(port), CONSUL_CHECK_INTERVAL: '1s' }
  })
}

t.test('started a second time by mistake, the live instance is left alone', async t => {
  const port = await freePort()
  const first = await startService(t, 'live', port)
  const before = await registered(consul, 'live', 'passing')
  const second = await startService(t, 'live', port)
  await second.line(/failed with EADDRINUSE/)
  t.same(await second.ended, { code: 0, signal: null })
  const after = await registered(consul, 'live', 'passing')
  t.same(after.Service, before.Service)
  t.same(after.Checks.map(({ CheckID: id }) => id), before.Checks.map(({ CheckID: id }) => id))
  first.signal('SIGTERM')
  t.same(await first.ended, { code: 0, signal: null })
  t.same(await entriesOf(consul, 'live'), [])
})

t.test('killed and started again on the same port, a service is routable at once', async t => {
  const port = await freePort()
  const first = await startService(t, 'crashed', port)
  const { Service: { ID: id } } = await registered(consul, 'crashed', 'passing')
  await first.kill('SIGKILL')
  await registered(consul, 'crashed', 'critical')

  const second = await startService(t, 'crashed', port)
  const [, listening] = (await second.line(/listening at/)).split(' at ')
  const entry = await registered(consul, 'crashed', 'passing')
  const took = Date.now() - Number(listening)
  t.comment(`passing ${took} ms after listening`)
  t.ok(took < 3000, 'not a check interval and a start-up later')
  t.equal(entry.Service.ID, id)
  // The old check may have found the new process first.
  await until(async () => {
    const ids = (await checksOf(consul, 'crashed')).map(({ CheckID }) => CheckID)
    return String(ids) === `service:${id}:b`
  }, { what: 'one check, under the other id' })
})

t.test('an operator\'s maintenance survives the restart', async t => {
  const port = await freePort()
  const first = await startService(t, 'maintained', port)
  const { Service: { ID: id } } = await registered(consul, 'maintained', 'passing')
  await consul.api('PUT', `/v1/agent/service/maintenance/${id}?enable=true&reason=repair`)
  await first.kill('SIGKILL')
  const second = await startService(t, 'maintained', port)
  await second.line(/listening at/)
  await until(async () => (await checksOf(consul, 'maintained')).some(({ CheckID }) => CheckID === `service:${id}:b`))
  const maintenance = (await checksOf(consul, 'maintained')).find(({ CheckID }) => CheckID.startsWith('_service'))
  t.match(maintenance, { Status: 'critical', Notes: 'repair' })
  await consul.api('PUT', `/v1/agent/service/maintenance/${id}?enable=false`)
  await registered(consul, 'maintained', 'passing')
})

t.test('a crash that left both checks behind is cleaned up', async t => {
  const port = await freePort()
  const id = `both-${port}`
  const check = (CheckID: string): object => ({ CheckID, Name: 'left behind', TTL: '10m', Status: 'critical' })
  await consul.api('PUT', '/v1/agent/service/register', {
    ID: id, Name: 'both', Port: port, Checks: [check(`service:${id}:a`), check(`service:${id}:b`)]
  })
  const { app } = await listeningApp(t, { url, service: { name: 'both', id } })
  await registered(consul, 'both', 'passing')
  await until(async () => (await checksOf(consul, 'both')).length === 1)
  t.equal(app.consul.registration.id, id)
})

t.test('deregistered by hand, a service is back by itself, with one line', async t => {
  const { app, lines } = await listeningApp(t, { url, service: { name: 'by-hand', id: 'by-hand' } })
  await until(() => app.consul.registration.state === 'registered')
  await consul.api('PUT', '/v1/agent/service/deregister/by-hand')
  await until(() => messages(lines).includes('The registration was lost and is written again'))
  await registered(consul, 'by-hand', 'passing')
  await until(() => app.consul.registration.state === 'registered')
  t.same(messages(lines), ['Registered with Consul', 'The registration was lost and is written again'])
  await app.close()
  await gone(consul, 'by-hand')
})

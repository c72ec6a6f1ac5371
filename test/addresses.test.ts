import t from 'tap'
import { connect } from 'node:net'
import { listeningApp, messages, portOf, testApp } from './lifecycle/app.ts'
import { checkOutput, registered } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { once } from './support/wait.ts'

const consul = await startConsul(t)
const { url } = consul

for (const [host, address, checked] of [
  ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
  ['0.0.0.0', '', '127.0.0.1'],
  ['::1', '::1', '[::1]'],
  ['::', '', '127.0.0.1']
] as const) {
  t.test(`bound to ${host}, "${address}" is published and ${checked} checked`, async t => {
    const name = `bound-${host.replace(/\W/g, '-')}`
    const { app } = await testApp(t, { url, service: { name }, check: { interval: '1s' } })
    await app.listen({ port: 0, host })
    t.match(await checkOutput(consul, name), `HTTP GET http://${checked}:${portOf(app)}/health/ready: 200 OK`)
    t.equal((await registered(consul, name, 'passing')).Service.Address, address)
    const [instance] = await app.discover(name)
    const reached = connect(portOf(app), instance?.address)
    t.teardown(() => reached.destroy())
    await once(reached, 'connect')
    t.equal(instance?.url, `http://${address === '::1' ? '[::1]' : '127.0.0.1'}:${portOf(app)}`)
  })
}

t.test('an agent that answers on loopback and lives elsewhere, as in a container, is a warning', async t => {
  const elsewhere = await startConsul(t, { config: { advertise_addr: '198.51.100.7' } })
  const warning = 'The agent answers on loopback but is none of this machine\'s addresses, as in a container: ' +
    'set service.address (SERVICE_ADDRESS) to an address at which it can reach this service'
  const { app, lines } = await testApp(t, { url: elsewhere.url, service: { name: 'outside' } })
  await app.listen({ port: 0, host: '0.0.0.0' })
  await registered(elsewhere, 'outside')
  t.same(messages(lines, 'warn'), [warning])

  const told = await listeningApp(t, { url: elsewhere.url, service: { name: 'told', address: '192.0.2.1' } })
  await registered(elsewhere, 'told')
  t.same(messages(told.lines, 'warn'), [])
})

import { connect } from 'node:net'
import t from 'tap'
import { filesIn, startSecureAgent, writeFiles } from './consul/secure-agent.ts'
import { listeningApp, messages, portOf, testApp, type TestAppOptions } from './lifecycle/app.ts'
import { checkOutput, gone, registered } from './lifecycle/catalog.ts'
import { certificateAuthority } from './support/certificates.ts'
import { startConsul } from './support/consul.ts'
import { once, until } from './support/wait.ts'

const { cert, key } = await (await certificateAuthority()).issue('127.0.0.1')

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
    const instance = await until(async () => (await app.discover(name))[0])
    const reached = connect(portOf(app), instance.address)
    t.teardown(() => reached.destroy())
    await once(reached, 'connect')
    t.equal(instance.url, `http://${address === '::1' ? '[::1]' : '127.0.0.1'}:${portOf(app)}`)
  })
}

t.test('an agent that answers on loopback and lives elsewhere, as in a container, is a warning', async t => {
  const elsewhere = await startConsul(t, { config: { advertise_addr: '198.51.100.7' } })
  const warning = 'The agent answers on loopback but is none of this machine\'s addresses, as in a container: ' +
    'set service.address (SERVICE_ADDRESS) to an address at which it can reach this service'
  const { app, lines } = await testApp(t, { url: elsewhere.url, service: { name: 'outside' } })
  await app.listen({ port: 0, host: '0.0.0.0' })
  await registered(elsewhere, 'outside')
  await until(() => messages(lines, 'warn').length > 0)
  t.same(messages(lines, 'warn'), [warning])

  const told = await listeningApp(t, { url: elsewhere.url, service: { name: 'told', address: '192.0.2.1' } })
  await registered(elsewhere, 'told')
  t.same(messages(told.lines, 'warn'), [])
})

// Schemes

const tls = { cert, key }
const table: Record<string, {
  fastify: object, check?: TestAppOptions['check'], scheme: string | undefined, output: (port: number) => string
}> = {
  http: { fastify: {}, scheme: undefined, output: port => `HTTP GET http://127.0.0.1:${port}/health/ready: 200 OK` },
  https: {
    fastify: { https: tls },
    check: { tlsSkipVerify: true },
    scheme: 'https',
    output: port => `HTTP GET https://127.0.0.1:${port}/health/ready: 200 OK`
  },
  h2c: { fastify: { http2: true }, scheme: undefined, output: port => `TCP connect 127.0.0.1:${port}: Success` },
  'HTTP/2 over TLS': {
    fastify: { http2: true, https: tls },
    scheme: 'https',
    output: port => `TCP connect 127.0.0.1:${port}: Success`
  },
  'HTTP/2 over TLS that allows HTTP/1': {
    fastify: { http2: true, https: { ...tls, allowHTTP1: true } },
    check: { tlsSkipVerify: true },
    scheme: 'https',
    output: port => `HTTP GET https://127.0.0.1:${port}/health/ready: 200 OK`
  }
}

for (const [kind, { fastify, check, scheme, output }] of Object.entries(table)) {
  t.test(`${kind}: scheme ${scheme ?? 'not told'}, and a check that Consul can do passes`, async t => {
    const name = `scheme-${kind.length}`
    const { port, lines } = await listeningApp(t, {
      url: consul.url, service: { name }, check: { interval: '1s', ...check }, fastify
    })
    t.match(await checkOutput(consul, name), output(port))
    const { Service: service } = await registered(consul, name, 'passing')
    t.equal(service.Meta?.['scheme'], scheme)
    await until(() => messages(lines).includes('Registered with Consul'))
    const isTcp = output(port).startsWith('TCP')
    t.same(messages(lines, 'info', 'warn').sort(), isTcp
      ? ['A check of this type cannot tell degraded from healthy',
          'Consul\'s http check speaks no HTTP/2: a tcp check is registered',
          'Registered with Consul']
      : ['Registered with Consul'])
  })
}

t.test('meta.scheme of one\'s own stays', async t => {
  const service = { name: 'own-scheme', meta: { scheme: 'h2', other: 'x' } }
  await listeningApp(t, { url: consul.url, service, fastify: { https: tls } as object })
  const { Service: { Meta: meta } } = await registered(consul, 'own-scheme')
  t.same(meta, { scheme: 'h2', other: 'x' })
})

// Tls

t.test('a service lives on over TLS while authority and certificates of both sides are rotated', async t => {
  const [first, second] = [await certificateAuthority('first'), await certificateAuthority('second')]
  const folder = t.testdir({ agent: {}, client: {} })
  const secure = await startSecureAgent(t, `${folder}/agent`, first)
  const files = filesIn(`${folder}/client`)
  await writeFiles(files, first)
  const { app, lines } = await listeningApp(t, {
    url: secure.url, tls: files, service: { name: 'web' }, discovery: { wait: '1s' }
  })
  await until(async () => (await app.discover('web')).length === 1)

  await secure.become(second) // which forgets the service
  await until(() => lines.some(({ message }) => message?.startsWith('Consul cannot be reached')))
  await t.rejects(app.consul.client.leader(), { message: /see tls\.ca/ })
  t.equal((await app.discover('web')).length, 1)
  await writeFiles(files, second)
  await registered(secure.agent, 'web', 'passing')
  t.equal(await (await app.fetch('http://web/')).text(), 'hello')
  await app.close()
  await gone(secure.agent, 'web')
})

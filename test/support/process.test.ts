import { EventEmitter } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect, type ConnectionOptions, createServer } from 'node:tls'
import t from 'tap'
import { exists } from './cache.ts'
import { certificateAuthority } from './certificates.ts'
import { firstFound, fromEnvironment } from './first-found.ts'
import { startScript } from './process.ts'
import { once, until } from './wait.ts'

t.test('a script gets its environment, its signals and says how it ended', async t => {
  const folder = t.testdir({
    'script.ts': `const name: string = process.env.NAME ?? 'nobody'
      process.once('SIGTERM', () => { console.log('bye'); process.exit(3) })
      setInterval(() => {}, 1000)
      console.log('I am ' + name)`
  })
  const script = await startScript(t, join(folder, 'script.ts'), { env: { NAME: 'a' } })
  t.equal(await script.line(/^I am/), 'I am a')
  script.signal('SIGTERM')
  t.strictSame(await script.ended, { code: 3, signal: null })
  t.strictSame(script.lines, ['I am a', 'bye'])
  await t.rejects(script.line(/never/), { message: /ended without a line like/ })
})

t.test('a killed test leaves neither its child process nor the folder of that', async t => {
  const folder = t.testdir({
    'script.ts': `import { startChild } from '${new URL('./children.ts', import.meta.url).href}'
      await startChild('sleep', ['3600'], { stdio: 'inherit', folder: process.env.FOLDER })
      console.log('started')`,
    'its own': {}
  })
  const own = join(folder, 'its own')
  const script = await startScript(t, join(folder, 'script.ts'), { env: { FOLDER: own } })
  await script.line(/^started$/)
  await script.kill()
  // The child holds the same stdout, so that ends only when both have.
  t.equal((await script.ended).signal, 'SIGKILL')
  await until(async () => !await exists(own), { what: 'the folder to go' })
})

// Wait

t.test('until gives the first truthy value', async t => {
  let looks = 0
  t.equal(await until(() => ++looks === 3 && looks, { what: 'three looks' }), 3)
})

t.test('a condition that throws is not met yet', async t => {
  let looks = 0
  const value = await until(async () => {
    if (++looks < 3) throw new Error('not yet')
    return looks
  })
  t.equal(value, 3)
})

t.test('after the time limit the error says what was missing and what was seen', async t => {
  const waiting = until(() => Promise.reject(new Error('nobody')), { timeout: 20, what: 'a leader' })
  await t.rejects(waiting, { message: 'waited 20 ms for a leader; last seen: Error: nobody' })
})

t.test('once gives the value of the next event, or says which one did not come', async t => {
  const emitter = new EventEmitter()
  const waiting = once<number>(emitter, 'done')
  emitter.emit('done', 7)
  t.equal(await waiting, 7)
  await t.rejects(once(emitter, 'done', 20), { message: 'waited 20 ms for the event done' })
})

// First found

const nothing = { name: 'nothing', find: async () => { throw new Error('is not there\nat all') } }

t.test('the first place that has it wins, later ones are not asked', async t => {
  const here = { name: 'here', find: async () => 'x' }
  const later = { name: 'later', find: async () => String(t.fail('asked')) }
  t.equal(await firstFound('x', 'install x', [nothing, here, later]), 'x')
})

t.test('when no place has it the error says what to install and where it was looked', async t => {
  await t.rejects(firstFound('x', 'install x', [nothing, nothing]), {
    message: 'No x found: install x. Looked for:\n  nothing: is not there\n  nothing: is not there'
  })
})

t.test('an unset variable is named', async t => {
  t.throws(() => fromEnvironment('FASTIFY_CONSUL_UNSET'), { message: 'FASTIFY_CONSUL_UNSET is not set' })
})

// Certificates

t.test('two sides with certificates of one authority trust each other, by name', async t => {
  const { ca, issue } = await certificateAuthority()
  const server = createServer({ ...await issue('l02-runtime', '127.0.0.1'), ca, requestCert: true })
  server.on('tlsClientError', () => {})
  t.teardown(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const attempt = async (options: ConnectionOptions): Promise<void> => {
    const socket = connect({ port, host: '127.0.0.1', ca, ...options })
    t.teardown(() => socket.destroy())
    await once(socket, 'secureConnect')
  }

  const client = await issue('l01-data-layer')
  await attempt({ ...client, servername: 'l02-runtime' })
  await attempt(client)
  await t.rejects(attempt({ ...client, servername: 'l03' }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  const stranger = await certificateAuthority('stranger')
  await t.rejects(attempt({ ...client, ca: stranger.ca }), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })
})

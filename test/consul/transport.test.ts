import { getEventListeners, once, setMaxListeners } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { freePort } from '../support/ports.ts'
import { startProxy } from '../support/proxy.ts'
import { startScript } from '../support/process.ts'
import { until } from '../support/wait.ts'
import { clientOf, failureOf, fakeServer } from './helpers.ts'

const consul = await startConsul(t)
/** For requests that are to succeed, however slow the machine is. */
const patient = { timeout: 10_000 }

t.test('connections are kept: twenty requests one after the other need no more than two', async t => {
  const proxy = await startProxy(t, consul)
  const client = clientOf(t, { url: proxy.url })
  for (let i = 0; i < 20; i++) await client.leader()
  t.ok(proxy.opened <= 2, `${proxy.opened}`)
})

t.test('many at once keep to five connections', async t => {
  const proxy = await startProxy(t, consul)
  const client = clientOf(t, { url: proxy.url, timeout: '1m' })
  await Promise.all(Array.from({ length: 50 }, () => [client.health('a'), client.leader()]).flat())
  t.ok(proxy.opened <= 5, `${proxy.opened}`)
})

t.test('each ping goes over a connection of its own, which ends with it: one that exists may be dead', async t => {
  const proxy = await startProxy(t, consul)
  const client = clientOf(t, { url: proxy.url })
  await client.leader()
  const before = proxy.opened
  for (let i = 0; i < 3; i++) await client.ping()
  t.equal(proxy.opened, before + 3)
  await until(() => proxy.connections === before)
  proxy.blackhole(true)
  proxy.forget()
  await client.ping(patient)
})

t.test('blocking queries, eight at once, hold up no other request', async t => {
  const proxy = await startProxy(t, consul)
  const client = clientOf(t, { url: proxy.url })
  const other = clientOf(t, { url: consul.url })
  await other.registerService({ name: 'quiet' })
  // Of a service that is there the index stands still whatever other tests have registered.
  const { index } = await until(async () => {
    const answer = await other.health('quiet')
    return answer.value.length > 0 && answer
  })
  const waiting = new AbortController()
  const { signal } = waiting
  setMaxListeners(0, signal)
  const queries = Array.from({ length: 9 }, () => failureOf(client.health('quiet', { index, wait: '1m', signal })))
  await until(() => proxy.connections >= 8)
  for (let i = 0; i < 10; i++) await client.leader()
  t.ok(proxy.opened <= 8 + 2, 'the ninth query waits for its turn')
  waiting.abort()
  await Promise.all(queries)
})

t.test('reads that Consul\'s servers hold hold up no registration, heartbeat or probe', async t => {
  const sockets = new Set<Socket>()
  const url = await fakeServer(t, ({ url = '', socket }, response) => {
    sockets.add(socket)
    const isHeld = /health|catalog/.test(url) || url === '/v1/agent/service/register'
    if (!isHeld) response.end(url.endsWith('leader') ? '"127.0.0.1:8300"' : '{}')
  })
  const client = clientOf(t, { url, timeout: 20_000 })
  const waiting = new AbortController()
  const { signal } = waiting
  setMaxListeners(0, signal)
  const held = [
    ...Array.from({ length: 20 }, () => client.health('a', { signal })),
    client.listServices({ signal }),
    client.registerService({ name: 'a' }, { signal })
  ].map(failureOf)
  await until(() => sockets.size >= 4)
  t.equal(await client.leader(), '127.0.0.1:8300')
  await client.updateCheck('a', 'passing', '')
  t.same(await client.agentChecks('a'), {})
  await client.agentService('a')
  t.ok(sockets.size <= 6, `${sockets.size}`)
  waiting.abort()
  await Promise.all(held)
})

t.test('an answer without end is an error, and not all the memory', async t => {
  const mebibyte = Buffer.alloc(2 ** 20, ' ')
  let sent = 0
  let closed = false
  const url = await fakeServer(t, (_, response) => {
    response.once('close', () => { closed = true })
    const send = () => { for (let more = true; more; sent++) more = !closed && response.write(mebibyte) }
    response.on('drain', send)
    send()
  })
  t.match(await failureOf(clientOf(t, { url, timeout: 60_000 }).health('a')), {
    code: 'FST_CONSUL_API_ANSWER',
    message: 'The answer to GET /v1/health/service/a is not what Consul sends: more than 67108864 bytes'
  })
  await until(() => closed)
  t.ok(sent < 128, `${sent} MiB`)
})

t.test('an agent that does not answer costs no more than the timeout', async t => {
  const proxy = await startProxy(t, consul)
  const client = clientOf(t, { url: proxy.url, timeout: 200 })
  await client.leader(patient)
  proxy.blackhole(true)
  const message = 'Consul did not answer GET /v1/status/leader within 200 ms'
  t.match(await failureOf(client.leader()), { code: 'FST_CONSUL_API_TIMEOUT', message })
  t.match(await failureOf(client.registerService({ name: 'a' })), { code: 'FST_CONSUL_API_TIMEOUT' })
  t.match(await failureOf(client.registerService({ name: 'a' }, { timeout: 20 })), { message: /within 20 ms$/ })
})

t.test('an answer that came in time counts, though this process stood still when the time was over', async t => {
  const client = clientOf(t, { url: consul.url })
  await client.leader()
  const answer = client.leader({ timeout: 50 })
  for (let turn = 0; turn < 2; turn++) await new Promise(resolve => setImmediate(resolve)) // Then it is written.
  const end = performance.now() + 200
  while (performance.now() < end);
  t.ok(await answer)
})

t.test('a blocking query of a suspended agent ends after its wait, a sixteenth of it, and the timeout', async t => {
  const frozen = await startConsul(t)
  const client = clientOf(t, { url: frozen.url, timeout: 100 })
  await client.registerService({ name: 'a' }, patient)
  await until(async () => (await client.discoverService('a', patient)).length === 1)
  const { hash } = await client.agentService('a', patient)
  const { index } = await client.health('a', patient)
  await frozen.suspend()
  const queries = [
    failureOf(client.health('a', { index, wait: 320 })),
    failureOf(client.agentService('a', { hash, wait: '320ms' }))
  ]
  for (const error of await Promise.all(queries)) {
    t.match(error, { code: 'FST_CONSUL_API_TIMEOUT', message: /within 440 ms$/ })
  }
  frozen.resume()
  t.ok(await client.leader(patient))
})

t.test('a wait of 0 is Consul\'s own, which it may take', async t => {
  const client = clientOf(t, { url: consul.url, timeout: 50 })
  const { index } = await client.health('patient', patient)
  const enough = new AbortController()
  const query = failureOf(client.health('patient', { index, wait: 0, signal: enough.signal }))
  const first = await Promise.race([query, new Promise(resolve => setTimeout(resolve, 300, 'it waits'))])
  enough.abort()
  t.equal(first, 'it waits')
  await query
})

t.test('what cannot be sent is no unreachable Consul', async t => {
  const client = clientOf(t, { url: consul.url })
  const meta = { number: 7n as unknown as string }
  t.match(await failureOf(client.registerService({ name: 'a', meta })), { name: 'TypeError', message: /BigInt/ })
})

t.test('an answer that stops in its middle costs no more than the timeout', async t => {
  const url = await fakeServer(t, (_, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('[')
  })
  const client = clientOf(t, { url, timeout: 100 })
  await t.rejects(client.health('a'), { code: 'FST_CONSUL_API_TIMEOUT' })
})

t.test('an aborted request ends at once with the reason of its signal', async t => {
  const proxy = await startProxy(t, consul)
  const client = clientOf(t, { url: proxy.url })
  proxy.blackhole(true)
  for (const call of [
    (signal: AbortSignal) => client.leader({ signal }),
    (signal: AbortSignal) => client.health('a', { signal, index: '5', wait: '1m' }),
    (signal: AbortSignal) => client.registerService({ name: 'a' }, { signal })
  ]) {
    const controller = new AbortController()
    const reason = new Error('enough')
    const pending = failureOf(call(controller.signal))
    setImmediate(() => controller.abort(reason))
    t.equal(await pending, reason)
    const before = proxy.opened
    t.equal(await failureOf(call(controller.signal)), reason)
    t.equal(proxy.opened, before, 'and asks nobody if it was aborted before')
  }
})

t.test('a signal holds on to nothing once its request is over', async t => {
  const { signal } = new AbortController()
  await clientOf(t, { url: consul.url }).leader({ signal })
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

t.test('nobody listens: the error says where, once', async t => {
  const port = await freePort()
  const error = await failureOf(clientOf(t, { url: `http://127.0.0.1:${port}` }).leader())
  t.match(error, {
    code: 'FST_CONSUL_API_UNREACHABLE',
    message: `Consul did not answer GET /v1/status/leader: connect ECONNREFUSED 127.0.0.1:${port}`
  })
  const byName = await failureOf(clientOf(t, { url: `http://localhost:${port}` }).leader())
  t.match(byName, { code: 'FST_CONSUL_API_UNREACHABLE', message: /: .*ECONNREFUSED/ })
})

t.test('a broken connection is an unreachable Consul', async t => {
  const proxy = await startProxy(t, consul)
  const client = clientOf(t, { url: proxy.url })
  const pending = failureOf(client.health('a', { index: '999999', wait: '1m' }))
  await until(() => proxy.connections === 1)
  proxy.reset()
  t.match(await pending, { code: 'FST_CONSUL_API_UNREACHABLE', message: /GET \/v1\/health\/service\/a: .*ECONNRESET/ })
  t.ok(await client.leader(), 'the next request makes a new one')
})

t.test('what is not HTTP is an unreachable Consul', async t => {
  const server = createServer(socket => socket.end('220 mail.test ESMTP\r\n'))
  t.teardown(() => server.close())
  const port = await freePort()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  await t.rejects(clientOf(t, { url: `http://127.0.0.1:${port}` }).leader(), { code: 'FST_CONSUL_API_UNREACHABLE' })
})

t.test('what repeats our request, and is no HTTP, does not get our secrets into the error', async t => {
  const server = createServer(socket => socket.on('error', () => {}).pipe(socket))
  t.teardown(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = clientOf(t, { url: `http://ann:p-ssw0rd@127.0.0.1:${port}`, token: 'tok-3f6c0b9e' })
  const error = await failureOf(client.leader())
  t.equal(error.code, 'FST_CONSUL_API_UNREACHABLE')
  t.notMatch(inspect(error, { depth: Infinity }), /tok-3f6c0b9e|Basic/)
})

t.test('close ends what is under way, and later calls say so', async t => {
  const sockets = new Set<Socket>()
  const url = await fakeServer(t, ({ socket }) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const client = clientOf(t, { url })
  const pending = [client.leader(), client.health('a', { index: '5', wait: '1m' })].map(failureOf)
  await until(() => sockets.size === 2)
  await client.close()
  for (const error of await Promise.all(pending)) {
    t.match(error, { code: 'FST_CONSUL_API_UNREACHABLE', message: /: the client was closed$/ })
  }
  await until(() => sockets.size === 0)
  t.match(await failureOf(client.leader()), {
    code: 'FST_CONSUL_CLOSED', message: 'GET /v1/status/leader was called after close()'
  })
  await client.close()
})

t.test('an agent is reached over its unix socket', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const path = join(folder, 'consul.sock')
  const server = createServer(socket => socket.pipe(connect(consul.port, consul.host)).pipe(socket))
  t.teardown(() => server.close())
  server.listen(path)
  await once(server, 'listening')
  const client = clientOf(t, { url: `unix://${path}` })
  t.match(await client.agentSelf(), { Config: { Datacenter: 'dc1' } })
  t.equal(client.localAddress, undefined)
  await t.rejects(clientOf(t, { url: `unix://${path}.none` }).leader(), { message: /ENOENT/ })
})

t.test('a script ends after its blocking query, not in its middle', async t => {
  const script = await startScript(t, new URL('blocking-script.ts', import.meta.url), {
    env: { CONSUL_URL: consul.url }
  })
  await script.line(/^answered$/)
  t.same(await script.ended, { code: 0, signal: null })
})

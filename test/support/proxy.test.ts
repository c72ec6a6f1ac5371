import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { startCountingProxy } from './counting-proxy.ts'
import { type Proxy, startProxy } from './proxy.ts'
import { until } from './wait.ts'

/** Sends back what it gets. */
async function startEcho (t: Test): Promise<{ host: string, port: number }> {
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  t.teardown(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

async function open (t: Test, proxy: Proxy): Promise<Socket> {
  const socket = connect(proxy.port, proxy.host)
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

async function echo (socket: Socket, message: string): Promise<string> {
  socket.write(message)
  const [answer] = await once(socket, 'data')
  return String(answer)
}

t.test('bytes pass both ways and connections are counted', async t => {
  const proxy = await startProxy(t, await startEcho(t))
  const socket = await open(t, proxy)
  t.equal(await echo(socket, 'hello'), 'hello')
  t.equal(proxy.connections, 1)
  socket.end('bye')
  t.equal(await text(socket), 'bye')
  await until(() => proxy.connections === 0, { what: 'the connection to end' })
  t.equal(proxy.opened, 1)
})

t.test('a black hole holds everything until it is lifted', async t => {
  const proxy = await startProxy(t, await startEcho(t))
  const socket = await open(t, proxy)
  await echo(socket, 'before')
  proxy.blackhole(true)
  const answers: string[] = []
  socket.on('data', data => answers.push(String(data)))
  socket.write('held')
  const second = await open(t, proxy)
  second.write('held too')
  t.strictSame(answers, [])
  proxy.blackhole(false)
  t.equal(String((await once(second, 'data'))[0]), 'held too')
  await until(() => answers.join('') === 'held', { what: 'the held bytes' })
})

t.test('after a black hole that is forgotten, open connections stay silent and new ones work', async t => {
  const proxy = await startProxy(t, await startEcho(t))
  const socket = await open(t, proxy)
  await echo(socket, 'before')
  proxy.blackhole(true)
  let heard = ''
  socket.on('data', data => { heard += data })
  socket.write('held')
  proxy.forget()
  t.equal(await echo(await open(t, proxy), 'again'), 'again')
  t.equal(heard, '')
})

t.test('a reset ends open connections, new ones work', async t => {
  const proxy = await startProxy(t, await startEcho(t))
  const socket = await open(t, proxy)
  await echo(socket, 'hello')
  proxy.reset()
  await t.rejects(once(socket, 'end'), { code: 'ECONNRESET' })
  t.equal(await echo(await open(t, proxy), 'again'), 'again')
})

t.test('a cut ends open connections in good order', async t => {
  const proxy = await startProxy(t, await startEcho(t))
  const socket = await open(t, proxy)
  await echo(socket, 'hello')
  proxy.cut()
  t.equal(await text(socket), '')
})

t.test('while it refuses, open connections work and new ones do not', async t => {
  const proxy = await startProxy(t, await startEcho(t))
  const socket = await open(t, proxy)
  await proxy.refuse(true)
  await t.rejects(open(t, proxy), { code: 'ECONNREFUSED' })
  t.equal(await echo(socket, 'still'), 'still')
  await proxy.refuse(false)
  t.equal(await echo(await open(t, proxy), 'again'), 'again')
})

t.test('latency delays each direction and keeps the order', async t => {
  const proxy = await startProxy(t, await startEcho(t))
  const socket = await open(t, proxy)
  proxy.latency(40)
  const start = performance.now()
  t.equal(await echo(socket, 'a'), 'a')
  t.ok(performance.now() - start >= 79, 'a round trip takes twice the latency')
  socket.write('1')
  proxy.latency(0)
  socket.end('2')
  t.equal(await text(socket), '12')
})

t.test('a limited answer breaks off after that many bytes', async t => {
  const proxy = await startProxy(t, await startEcho(t))
  const socket = await open(t, proxy)
  proxy.limit(3)
  const received: string[] = []
  socket.on('data', data => received.push(String(data)))
  socket.write('hello')
  await t.rejects(once(socket, 'end'), { code: 'ECONNRESET' })
  t.equal(received.join(''), 'hel')
})

// Counting proxy

t.test('requests pass, are counted by path and can be answered in between', async t => {
  const server = createHttpServer((request, response) => {
    response.setHeader('x-consul-index', '7')
    request.pipe(response)
  })
  t.teardown(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const proxy = await startCountingProxy(t, `http://127.0.0.1:${port}`)

  const response = await fetch(`${proxy.url}/v1/a?stale`, { method: 'PUT', body: 'body' })
  t.equal(await response.text(), 'body')
  t.equal(response.headers.get('x-consul-index'), '7')
  t.match(proxy.requests, [{ method: 'PUT', url: '/v1/a?stale' }])
  proxy.answer = ({ url }) => url === '/v1/b' ? { status: 429, body: 'slow down' } : undefined
  t.equal((await fetch(`${proxy.url}/v1/b`)).status, 429)
  t.equal((await fetch(`${proxy.url}/v1/c`)).status, 200)
  t.strictSame([proxy.count('/v1/a'), proxy.count('/v1/b'), proxy.count()], [1, 1, 3])
})

import { once } from 'node:events'
import { Agent, createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { connect, type AddressInfo, type Server, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import type { Clock } from '../../lib/clock.ts'
import { Connections } from '../../lib/lifecycle/connections.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { certificateAuthority } from '../support/certificates.ts'

const authority = await certificateAuthority()
const { cert, key } = await authority.issue('127.0.0.1')

interface Fixture {
  connections: Connections
  /** The end begins. */
  leave: () => void
  /** A request on the client's only connection, as far as its headers. */
  request: () => Promise<IncomingMessage>
  /** The next request's reply. */
  reply: () => Promise<ServerResponse>
  close: () => Promise<void>
  socket: () => Socket | undefined
}

/** A server that replies when the test says so, and a client that keeps one connection alive. */
async function fixture (t: Test): Promise<Fixture> {
  const server = createServer({ keepAliveTimeout: 60_000 })
  const leaving = new AbortController()
  const connections = new Connections(server, leaving.signal)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let socket: Socket | undefined
  t.teardown(() => {
    agent.destroy()
    server.close()
    server.closeAllConnections()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    connections,
    leave: () => leaving.abort(),
    async request () {
      const request = get({ port, host: '127.0.0.1', agent })
      request.once('socket', used => { socket = used })
      const [response] = await once(request, 'response')
      return response as IncomingMessage
    },
    reply: async () => (await once(server, 'request'))[1] as ServerResponse,
    close: async () => { await closed(server) },
    socket: () => socket
  }
}

t.test('before the end connections are kept alive', async t => {
  const { request, reply } = await fixture(t)
  reply().then(reply => reply.end())
  const response = await request()
  t.equal(response.headers.connection, 'keep-alive')
  response.resume()
})

t.test('a request begun before the end and answered after it closes its connection', async t => {
  const { request, reply, leave, close, socket } = await fixture(t)
  reply().then(reply => {
    leave()
    reply.end('late')
  })
  const response = await request()
  t.equal(response.headers.connection, 'close')
  response.resume()
  await once(response, 'end')
  if (socket()?.destroyed === false) await once(socket() as Socket, 'close')
  await close()
})

t.test('a request that comes after the beginning of the end is served and closes its connection', async t => {
  const { request, reply, leave } = await fixture(t)
  leave()
  reply().then(reply => reply.writeHead(200, { 'content-type': 'text/plain' }).end('x'))
  const response = await request()
  t.equal(response.statusCode, 200)
  t.equal(response.headers.connection, 'close')
  response.resume()
})

t.test('a reply whose headers were sent goes on; its connection serves one more request, which closes it', async t => {
  const { request, reply, leave } = await fixture(t)
  const streaming = reply()
  streaming.then(reply => reply.write('first'))
  const stream = await request()
  leave()
  ;(await streaming).end('last')
  let text = ''
  for await (const chunk of stream) text += chunk
  t.equal(text, 'firstlast')
  t.equal(stream.headers.connection, 'keep-alive', 'that was said already')
  reply().then(reply => reply.end())
  const next = await request()
  t.equal(next.headers.connection, 'close')
  next.resume()
})

t.test('a stream that outlives the server\'s close() ends its connection, which holds nothing up', async t => {
  const { connections, request, reply, leave, close } = await fixture(t)
  const streaming = reply()
  streaming.then(reply => reply.write('first'))
  const stream = await request()
  leave()
  connections.end()
  const closed = close()
  ;(await streaming).end('last')
  let text = ''
  for await (const chunk of stream) text += chunk
  t.equal(text, 'firstlast')
  const started = performance.now()
  await closed
  t.ok(performance.now() - started < 20_000, 'without waiting for the keep-alive timeout')
})

t.test('a request that reached the app by another server is followed too', async t => {
  const { connections, leave } = await fixture(t)
  const other = createServer((request, reply) => {
    connections.follow(request, reply)
    connections.follow(request, reply)
    leave()
    reply.end('x')
  }).listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await once(other, 'listening')
  const response = await fetch(`http://127.0.0.1:${(other.address() as AddressInfo).port}`)
  t.equal(response.headers.get('connection'), 'close')
  await response.text()
})

type Listening = [server: Server, connections: Connections, port: number]

/** A server that replies to nobody. */
async function silent (t: Test, kind: 'http' | 'https' | 'h2c', clock?: Clock): Promise<Listening> {
  const https = () => createHttpsServer({ cert, key })
  const server = { http: createServer, https, h2c: createHttp2Server as unknown as typeof createServer }[kind]()
  const connections = new Connections(server, new AbortController().signal, clock)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return [server, connections, (server.address() as AddressInfo).port]
}

type Opening = [kind: Parameters<typeof silent>[1], open: (port: number) => Socket, is: 'connect' | 'secureConnect']
const plain = (port: number) => connect(port, '127.0.0.1').resume()
const unused: Record<string, Opening> = {
  'that was opened and carried no request': ['http', plain, 'connect'],
  'over TLS that carried no request': [
    'https', port => connectTls({ port, host: '127.0.0.1', ca: authority.ca }), 'secureConnect'],
  'that never began its TLS handshake': ['https', plain, 'connect'],
  'that never began its HTTP/2 session': ['h2c', plain, 'connect'],
  'that carried a part of its first headers': ['http', port => {
    const socket = plain(port)
    socket.write('GET / HTTP/1.1\r\nhost: ')
    return socket
  }, 'connect']
}

for (const [which, [kind, open, is]] of Object.entries(unused)) {
  t.test(`a connection ${which} does not hold up the end`, async t => {
    const [server, connections, port] = await silent(t, kind)
    const accepted = once(server, is === 'connect' ? 'connection' : 'secureConnection')
    const socket = open(port).on('error', () => {})
    t.teardown(() => socket.destroy())
    await Promise.all([once(socket, is), accepted])
    connections.end()
    await closed(server)
  })

  t.test(`nor if it is opened while the server closes: a connection ${which}`, async t => {
    const [server, connections, port] = await silent(t, kind)
    connections.end()
    const accepted = once(server, 'connection')
    const socket = open(port).on('error', () => {})
    t.teardown(() => socket.destroy())
    await accepted
    await closed(server)
  })
}

t.test('a connection whose first request is not answered yet is not cut', async t => {
  const clock = new ManualClock()
  const [server, connections, port] = await silent(t, 'http', clock)
  const asked = once(server, 'request')
  const response = fetch(`http://127.0.0.1:${port}`)
  const [, reply] = await asked as [IncomingMessage, ServerResponse]
  connections.end()
  const closed = once(server.close(), 'close')
  clock.advance(60_000)
  reply.end('late')
  t.equal(await (await response).text(), 'late')
  await closed
})

t.test('an upgraded connection is the app\'s, and is not cut', async t => {
  const clock = new ManualClock()
  const [server, connections, port] = await silent(t, 'http', clock)
  const upgraded = once(server, 'upgrade')
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
  const [, ours] = await upgraded as [IncomingMessage, Socket]
  ours.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
  await once(socket, 'data')
  connections.end()
  clock.advance(60_000)
  ours.write('still there')
  const [chunk] = await once(socket, 'data')
  t.equal(String(chunk), 'still there')
})

/** Not every kind of server returns itself from `close()`. */
async function closed (server: Server): Promise<void> {
  const over = once(server, 'close')
  server.close()
  await over
}

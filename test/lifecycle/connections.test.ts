import { once } from 'node:events'
import { Agent, createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Connections } from '../../lib/lifecycle/connections.ts'

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
    close: async () => { await once(server.close(), 'close') },
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

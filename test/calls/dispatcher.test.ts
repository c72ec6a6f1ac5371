import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { PassThrough } from 'node:stream'
import t from 'tap'
import {
  Agent, getGlobalDispatcher, interceptors, request as undiciRequest, setGlobalDispatcher, WebSocket, type Dispatcher
} from 'undici'
import { instance, tally } from '../balancing/helpers.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/wait.ts'
import { startBlackHole } from './black-hole.ts'
import { MemorySource, startCalls, startServer } from './helpers.ts'

const get = { origin: 'http://svc', path: '/', method: 'GET' } as const

/** Whatever the test puts in its place, it is back afterwards. */
function keepGlobalDispatcher (t: Parameters<typeof startServer>[0]): Dispatcher {
  const before = getGlobalDispatcher()
  t.teardown(() => setGlobalDispatcher(before))
  return before
}

async function twoServers (t: Parameters<typeof startServer>[0]) {
  const servers = [await startServer(t, 'a'), await startServer(t, 'b')] as const
  const source = new MemorySource({ svc: servers.map(({ instance }) => instance) })
  return { servers, source }
}

t.test('request() is spread exactly over the instances', async t => {
  const { source } = await twoServers(t)
  const { dispatcher } = startCalls(t, source)
  const bodies = []
  for (let call = 0; call < 20; call++) bodies.push(await (await dispatcher.request(get)).body.text())
  t.same(tally(bodies), { a: 10, b: 10 })
})

t.test('calls at the same time are spread exactly too', async t => {
  const { source } = await twoServers(t)
  const { dispatcher } = startCalls(t, source)
  const bodies = await Promise.all(Array.from({ length: 100 }, async () =>
    await (await dispatcher.request(get)).body.text()))
  t.same(tally(bodies), { a: 50, b: 50 })
})

t.test('stream() and pipeline() work', async t => {
  const echo = await startServer(t, 'a', (request, response) => { request.pipe(response) })
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [echo.instance] }))
  const sink = new PassThrough()
  await Promise.all([
    dispatcher.stream({ ...get, method: 'POST', body: 'streamed' }, () => sink),
    text(sink).then(received => t.equal(received, 'streamed'))
  ])
  const pipeline = dispatcher.pipeline({ ...get, method: 'POST' }, ({ body }) => body)
  pipeline.end('piped')
  t.equal(await text(pipeline), 'piped')
})

t.test('upgrade() hands over the socket of an instance', async t => {
  const { instance, server } = await startServer(t, 'a')
  server.on('upgrade', (request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
    socket.pipe(socket)
    t.equal(request.headers.host, 'svc')
  })
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [instance] }))
  const options: Dispatcher.UpgradeOptions & { origin: string } = { origin: 'http://svc', path: '/', protocol: 'echo' }
  const { socket } = await dispatcher.upgrade(options)
  socket.end('over to you')
  t.equal(await text(socket), 'over to you')
})

t.test('a WebSocket reaches an instance', async t => {
  const { instance, server } = await startServer(t, 'a')
  server.on('upgrade', ({ headers }, socket) => {
    const accept = createHash('sha1')
      .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
      `sec-websocket-accept: ${accept}\r\n\r\n\x81\x05hello`, 'latin1')
    socket.on('data', () => socket.destroy())
  })
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [instance] }))
  const socket = new WebSocket('ws://svc/', { dispatcher })
  const data = await new Promise((resolve, reject) => {
    socket.addEventListener('message', ({ data }) => resolve(data))
    socket.addEventListener('error', reject)
  })
  t.equal(data, 'hello')
  socket.close()
})

t.test('connect() hands over the socket of an instance', async t => {
  const { instance, server } = await startServer(t, 'a')
  server.on('connect', (_request, socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    socket.pipe(socket)
  })
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [instance] }))
  const { socket } = await dispatcher.connect({ origin: 'http://svc', path: 'elsewhere:1' })
  socket.end('hello')
  t.equal(await text(socket), 'hello')
})

t.test('interceptors compose: dump, retry, redirect, responseError', async t => {
  let asked = 0
  const moody = await startServer(t, 'a', ({ url }, response) => {
    if (url === '/moved') response.writeHead(302, { location: 'http://svc/' }).end()
    else if (url === '/bad') response.writeHead(400).end('bad')
    else response.writeHead(asked++ % 2 === 0 ? 503 : 200).end('fine')
  })
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [moody.instance] }))
  const retrying = dispatcher.compose(interceptors.retry({ minTimeout: 1 }))
  t.equal((await retrying.request(get)).statusCode, 200)
  t.equal(asked, 2)
  const redirecting = retrying.compose(interceptors.redirect({ maxRedirections: 1 }))
  t.equal(await (await redirecting.request({ ...get, path: '/moved' })).body.text(), 'fine')
  const strict = dispatcher.compose(interceptors.responseError())
  await t.rejects(strict.request({ ...get, path: '/bad' }), { code: 'UND_ERR_RESPONSE' })
  const dumping = dispatcher.compose(interceptors.dump())
  t.equal((await dumping.request(get)).statusCode, 503)
})

t.test('an interceptor sees one start and one end, and can pause and abort', async t => {
  const { source } = await twoServers(t)
  const { dispatcher } = startCalls(t, source)
  const seen: string[] = []
  let handler: Dispatcher.DispatchHandler
  const done = new Promise<void>(resolve => {
    handler = {
      onRequestStart (controller) { seen.push(`start ${controller.aborted}`) },
      onResponseStart (controller, status, headers) {
        seen.push(`headers ${status} ${headers['content-length']} ${Array.isArray(controller.rawHeaders)}`)
        controller.pause()
        seen.push(`paused ${controller.paused}`)
        setImmediate(() => controller.resume())
      },
      onResponseData (_, chunk) { seen.push(`data ${chunk.length}`) },
      onBodySent (chunk: unknown) { seen.push(`sent ${String(chunk)}`) },
      onResponseStarted () { seen.push('started') },
      onResponseEnd () { resolve(); seen.push('end') },
      onResponseError (_, error) { resolve(); seen.push(`error ${error.message}`) }
    }
  })
  t.equal(dispatcher.dispatch({ ...get, method: 'POST', body: 'x' }, handler!), true)
  await done
  t.same(seen, ['start false', 'sent x', 'started', 'headers 200 1 true', 'paused true', 'data 1', 'end'])
})

t.test('an interceptor that aborts at the start is told so, and nothing is sent', async t => {
  const { source, servers } = await twoServers(t)
  const { dispatcher } = startCalls(t, source)
  const error = await new Promise((resolve, reject) => dispatcher.dispatch(get, {
    onRequestStart (controller) {
      controller.abort(new Error('changed my mind'))
      controller.abort(new Error('again'))
      t.equal(controller.aborted, true)
      t.equal(controller.reason?.message, 'changed my mind')
    },
    onResponseStart: reject,
    onResponseEnd: reject,
    onResponseError: (_, error) => resolve(error)
  }))
  t.match(error, { message: 'changed my mind' })
  t.same(servers.map(({ requests }) => requests), [0, 0])
})

t.test('an interceptor gets an upgraded socket', async t => {
  const { instance, server } = await startServer(t, 'a')
  server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'))
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [instance] }))
  const options: Dispatcher.UpgradeOptions & { origin: string } = { origin: 'http://svc', path: '/', protocol: 'x' }
  const { headers, socket } = await dispatcher.compose(interceptors.dump()).upgrade(options)
  t.equal(headers.upgrade, 'x')
  await finished(socket.resume(), { writable: false })
})

t.test('what is no request or no handler is refused as undici does', async t => {
  const { source } = await twoServers(t)
  const { dispatcher } = startCalls(t, source)
  await t.rejects(dispatcher.request({ path: '/', method: 'GET' }), { code: 'UND_ERR_INVALID_ARG' })
  await t.rejects(dispatcher.request({ ...get, origin: 'not a url' }), { code: 'ERR_INVALID_URL' })
  await t.rejects(dispatcher.request({ ...get, path: 'no slash' }), { code: 'UND_ERR_INVALID_ARG' })
  for (const handler of [{}, null, { onConnect () {} }]) {
    t.throws(() => dispatcher.dispatch(get, handler as Dispatcher.DispatchHandler), { code: 'UND_ERR_INVALID_ARG' })
  }
})

t.test('an origin may be a URL object', async t => {
  const { source } = await twoServers(t)
  const { dispatcher } = startCalls(t, source)
  t.equal((await dispatcher.request({ ...get, origin: new URL('http://svc/ignored') })).statusCode, 200)
})

t.test('balance goes along with the request', async t => {
  const { source } = await twoServers(t)
  const { dispatcher } = startCalls(t, source)
  const options = { ...get, balance: { strategy: 'first' as const } }
  for (let call = 0; call < 3; call++) t.equal(await (await dispatcher.request(options)).body.text(), 'a')
  await t.rejects(dispatcher.request({ ...get, balance: { strategy: 'best' } } as Dispatcher.RequestOptions),
    { code: 'FST_CONSUL_INVALID_OPTION', message: /^balance.strategy/ })
})

t.test('an ordinary host is reached, through undici\'s global dispatcher', async t => {
  const { servers, source } = await twoServers(t)
  const { dispatcher } = startCalls(t, source)
  const { address, port } = servers[0].instance
  const { body } = await dispatcher.request({ ...get, origin: `http://${address}:${port}` })
  t.equal(await body.text(), 'a')
  t.same(source.asked, [])
})

t.test('a request for an ordinary host names no dispatcher any more when it is passed on', async t => {
  const { servers, source } = await twoServers(t)
  const { dispatcher } = startCalls(t, source)
  const before = keepGlobalDispatcher(t)
  const named: unknown[] = []
  setGlobalDispatcher(before.compose(dispatch => (options: Dispatcher.DispatchOptions, handler) => {
    named.push(Reflect.get(options, 'dispatcher'))
    return dispatch(options, handler)
  }))
  const { address, port } = servers[0].instance
  await (await undiciRequest(`http://${address}:${port}/`, { dispatcher })).body.text()
  t.same(named, [undefined])
})

t.test('it is passed on with a handler that any undici takes, that of an interceptor too', async t => {
  const { servers, source } = await twoServers(t)
  const { dispatcher } = startCalls(t, source)
  keepGlobalDispatcher(t)
  const kinds: string[] = []
  setGlobalDispatcher(new class extends Agent {
    override dispatch (options: Agent.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
      kinds.push(typeof handler.onConnect, typeof handler.onRequestStart)
      return super.dispatch(options, handler)
    }
  }())
  t.teardown(() => getGlobalDispatcher().close())
  const following = dispatcher.compose(interceptors.redirect({ maxRedirections: 1 }))
  const { address, port } = servers[0].instance
  const { body } = await following.request({ ...get, origin: `http://${address}:${port}` })
  t.equal(await body.text(), 'a')
  t.same(kinds, ['function', 'undefined'])
})

t.test('it may be undici\'s global dispatcher itself, alone or behind interceptors', async t => {
  const { servers, source } = await twoServers(t)
  const { dispatcher, fetch } = startCalls(t, source)
  keepGlobalDispatcher(t)
  const outside = await startServer(t, 'outside', (request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: 'http://svc/' })
    response.end('outside')
  })
  const url = `http://127.0.0.1:${outside.instance.port}/`
  let intercepted = 0
  const counting = dispatcher.compose(dispatch => (options: Dispatcher.DispatchOptions, handler) => {
    intercepted++
    return dispatch(options, handler)
  })
  for (const global of [dispatcher, counting]) {
    setGlobalDispatcher(global)
    t.match(await (await undiciRequest('http://svc/')).body.text(), /^[ab]$/)
    t.match(await (await globalThis.fetch('http://svc/')).text(), /^[ab]$/)
    t.equal(await (await undiciRequest(url)).body.text(), 'outside')
    t.equal(await (await fetch(url)).text(), 'outside')
    const called = servers.map(({ requests }) => requests)
    await t.rejects(fetch(`${url}moved`), { message: 'fetch failed' })
    t.same(servers.map(({ requests }) => requests), called)
  }
  intercepted = 0
  await (await undiciRequest(url)).body.text()
  t.equal(intercepted, 1)
})

t.test('after close() running calls end and new ones fail', async t => {
  const slow = await startServer(t, 'a', (_, response) => { slow.server.once('answer', () => response.end('late')) })
  const source = new MemorySource({ svc: [slow.instance] })
  const { dispatcher } = startCalls(t, source)
  const running = dispatcher.request(get)
  await once(slow.server, 'request')
  let closed = false
  const closing = dispatcher.close().then(() => { closed = true })
  await t.rejects(dispatcher.request(get), { code: 'FST_CONSUL_CLOSED', statusCode: 503 })
  t.equal(closed, false)
  slow.server.emit('answer')
  t.equal(await (await running).body.text(), 'late')
  await closing
  await until(async () => await slow.connections() === 0)
  await new Promise<void>(resolve => dispatcher.close(resolve))
})

t.test('after close() a running call still goes to another instance if the first cannot be connected to', async t => {
  const fine = await startServer(t, 'b')
  const source = new MemorySource({ svc: [instance({ id: 'a', port: await freePort() }), fine.instance] })
  const { dispatcher } = startCalls(t, source, { strategy: 'first' })
  const running = dispatcher.request(get)
  const closing = [dispatcher.close(), dispatcher.close()].map(async closed => {
    await closed
    t.equal(fine.requests, 1)
  })
  t.equal(await (await running).body.text(), 'b')
  await Promise.all(closing)
  await until(async () => await fine.connections() === 0)
})

t.test('destroy() ends a call that connects with its error', async t => {
  const hole = instance({ port: await startBlackHole(t) })
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [hole] }), { connections: 1, connectTimeout: 20_000 })
  const running = [dispatcher.request(get), dispatcher.request(get)]
  const ended = running.map(call => t.rejects(call, { message: /^that is it$/ }))
  await dispatcher.destroy(new Error('that is it'))
  await Promise.all(ended)
})

t.test('destroy() ends running calls with its error', async t => {
  const silent = await startServer(t, 'a', () => {})
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [silent.instance] }))
  const running = [dispatcher.request(get), dispatcher.request(get)]
  const ended = running.map(call => t.rejects(call, { message: 'that is it' }))
  await once(silent.server, 'request')
  await dispatcher.destroy(new Error('that is it'))
  await Promise.all(ended)
  await new Promise<void>(resolve => dispatcher.destroy(resolve))
  await new Promise<void>(resolve => dispatcher.destroy(null, resolve))
})

t.test('calls that wait to hear of instances fail at close()', async t => {
  const { source } = await twoServers(t)
  source.hold()
  const { dispatcher } = startCalls(t, source)
  const waiting = t.rejects(dispatcher.request(get), { code: 'FST_CONSUL_CLOSED' })
  await dispatcher.close()
  await waiting
  source.release()
})

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { setImmediate as tick } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { errors, type Dispatcher } from 'undici'
import type { StrategyFunction } from '../../lib/options/call-options.ts'
import { instance } from '../balancing/helpers.ts'
import { until } from '../support/wait.ts'
import { startBlackHole } from './black-hole.ts'
import { MemorySource, startCalls, startServer } from './helpers.ts'

const get = { origin: 'http://svc', path: '/', method: 'GET' } as const
const reason = new Error('the user left')

t.test('a signal that has aborted asks and sends nothing', async t => {
  const server = await startServer(t, 'a')
  const source = new MemorySource({ svc: [server.instance] })
  const { dispatcher, fetch } = startCalls(t, source)
  const signal = AbortSignal.abort(reason)
  await t.rejects(dispatcher.request({ ...get, signal }), reason)
  await t.rejects(fetch('http://svc/', { signal }), reason)
  t.same(source.asked, [])
  t.equal(server.requests, 0)
})

t.test('an abort while the call waits for discovery', async t => {
  const server = await startServer(t, 'a')
  const source = new MemorySource({ svc: [server.instance] })
  source.hold()
  const { dispatcher, fetch } = startCalls(t, source)
  const abort = new AbortController()
  const body = new Readable({ read () {} })
  const calls = [
    t.rejects(dispatcher.request({ ...get, signal: abort.signal }), reason),
    t.rejects(dispatcher.request({ ...get, method: 'POST', body, signal: abort.signal }), reason),
    t.rejects(fetch('http://svc/', { signal: abort.signal }), reason)
  ]
  await until(() => source.waiting === 3)
  abort.abort(reason)
  await Promise.all(calls)
  t.equal(body.destroyed, true)
  source.release()
  await tick()
  t.equal(server.requests, 0)
})

t.test('an abort while the call connects, at once', async t => {
  const hole = instance({ port: await startBlackHole(t) })
  const { dispatcher, fetch } = startCalls(t, new MemorySource({ svc: [hole] }), { connectTimeout: 20_000 })
  const abort = new AbortController()
  const openSockets = () => process.getActiveResourcesInfo().filter(kind => kind === 'TCPSocketWrap').length
  const before = openSockets()
  const body = Readable.from(['never read'])
  const calls = [
    t.rejects(dispatcher.request({ ...get, signal: abort.signal }), reason),
    t.rejects(dispatcher.request({ ...get, method: 'POST', body, signal: abort.signal }), reason),
    t.rejects(fetch('http://svc/', { signal: abort.signal }), reason)
  ]
  await tick()
  t.equal(openSockets(), before + 3)
  const begun = performance.now()
  abort.abort(reason)
  await Promise.all(calls)
  await until(() => openSockets() === before)
  t.equal(performance.now() - begun < 5000, true)
  t.equal(body.destroyed, true)
})

t.test('what was aborted while it connected is not sent', async t => {
  const server = await startServer(t, 'a')
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  const abort = new AbortController()
  const calls = Array.from({ length: 5 }, () =>
    t.rejects(dispatcher.request({ ...get, signal: abort.signal }), reason))
  const other = dispatcher.request(get)
  abort.abort(reason)
  await Promise.all(calls)
  t.equal(await (await other).body.text(), 'a')
  await dispatcher.close()
  t.equal(server.requests, 1)
})

t.test('nor what failed for a body that is none meanwhile, or was aborted for a reason that is no error', async t => {
  const server = await startServer(t, 'a')
  const { dispatcher, request } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  const body = new Readable({ read () {} })
  const wrong = t.rejects(request('http://svc/', { method: 'POST', body }), {
    code: 'UND_ERR_INVALID_ARG', message: /^body must/
  })
  const abort = new AbortController()
  const aborted = request('http://svc/', { signal: abort.signal }).catch(reason => reason)
  body.push(1)
  abort.abort('not wanted')
  t.equal(await aborted, 'not wanted')
  await wrong
  await dispatcher.close()
  t.equal(server.requests, 0)
})

t.test('an abort while the call is queued takes it out, and spares the connection', async t => {
  const slow = await startServer(t, 'a', (_, response) => { slow.server.once('answer', () => response.end('late')) })
  let opened = 0
  slow.server.on('connection', () => opened++)
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [slow.instance] }), { connections: 1 })
  const running = dispatcher.request(get)
  await once(slow.server, 'request')
  const abort = new AbortController()
  const queued = Array.from({ length: 5 }, () =>
    t.rejects(dispatcher.request({ ...get, signal: abort.signal }), reason))
  const last = dispatcher.request(get)
  abort.abort(reason)
  await Promise.all(queued)
  slow.server.on('request', () => setImmediate(() => slow.server.emit('answer')))
  slow.server.emit('answer')
  t.equal(await (await running).body.text(), 'late')
  t.equal(await (await last).body.text(), 'late')
  t.equal(slow.requests, 2)
  t.equal(opened, 1)
})

t.test('an abort while the call waits for headers reaches the instance', async t => {
  const silent = await startServer(t, 'a', () => {})
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [silent.instance] }))
  const abort = new AbortController()
  const call = t.rejects(dispatcher.request({ ...get, signal: abort.signal }), reason)
  const [request] = await once(silent.server, 'request')
  abort.abort(reason)
  await call
  await until(() => request.destroyed)
})

t.test('an abort while the body comes in ends the body', async t => {
  const endless = await startServer(t, 'a', (_, response) => { response.write('begun') })
  const { dispatcher, fetch } = startCalls(t, new MemorySource({ svc: [endless.instance] }))
  const abort = new AbortController()
  const { body } = await dispatcher.request({ ...get, signal: abort.signal })
  const response = await fetch('http://svc/', { signal: abort.signal })
  const reading = [t.rejects(body.text(), reason), t.rejects(response.text(), reason)]
  abort.abort(reason)
  await Promise.all(reading)
})

t.test('an abort after the end is nothing', async t => {
  const server = await startServer(t, 'a')
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  const abort = new AbortController()
  const { body } = await dispatcher.request({ ...get, signal: abort.signal })
  t.equal(await body.text(), 'a')
  abort.abort(reason)
})

t.test('an abort is no reason to try another instance', async t => {
  const hole = instance({ id: 'a', port: await startBlackHole(t) })
  const fine = await startServer(t, 'b')
  const source = new MemorySource({ svc: [hole, fine.instance] })
  const { dispatcher } = startCalls(t, source, { strategy: 'first' })
  const abort = new AbortController()
  const call = t.rejects(dispatcher.request({ ...get, signal: abort.signal }), reason)
  abort.abort(reason)
  await call
  t.equal(fine.requests, 0)
})

t.test('an abort without a reason is undici\'s', async t => {
  const source = new MemorySource({ svc: [instance()] })
  source.hold()
  const { dispatcher } = startCalls(t, source)
  const error = await new Promise<Error>(resolve => dispatcher.dispatch(get, {
    onConnect (abort) { setImmediate(abort) },
    onHeaders: () => true,
    onError: resolve
  }))
  t.type(error, errors.RequestAbortedError)
})

t.test('a handler that throws gets its error, once', async t => {
  const server = await startServer(t, 'a')
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  for (const faulty of ['onConnect', 'onHeaders', 'onData', 'onComplete'] as const) {
    const errors: Error[] = []
    const handler: Dispatcher.DispatchHandler = {
      onConnect () {},
      onHeaders: () => true,
      onData: () => true,
      onComplete () {},
      onError: error => { errors.push(error) },
      [faulty] () { throw new Error(`fault in ${faulty}`) }
    }
    dispatcher.dispatch(get, handler)
    await until(() => errors.length > 0)
    await tick()
    t.same(errors.map(({ message }) => message), [`fault in ${faulty}`])
  }
})

t.test('an abort by the user\'s own strategy, or by who is told of the pick, leaves nothing to be sent', async t => {
  const server = await startServer(t, 'a')
  const { dispatcher, request, close } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  const abort = new AbortController()
  const strategy: StrategyFunction = ([first]) => {
    abort.abort(reason)
    return first
  }
  await t.rejects(request('http://svc/', { balance: { strategy }, signal: abort.signal }), reason)
  const other = new AbortController()
  listen(t, 'pick', () => other.abort(reason))
  await t.rejects(dispatcher.request({ ...get, signal: other.signal }), reason)
  await close()
  t.equal(server.requests, 0)
})

t.test('an abort by who is told how an attempt went is the end: no response follows', async t => {
  const server = await startServer(t, 'a')
  server.server.on('upgrade', (_, socket) => {
    socket.on('error', () => {}).on('end', () => socket.end()).resume()
    socket.write('HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
  })
  const { dispatcher, close } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  let abortNow = () => {}
  listen(t, 'attempt', () => abortNow())
  for (const upgrade of [undefined, 'x']) {
    const told: unknown[] = []
    await new Promise<void>(resolve => dispatcher.dispatch({ ...get, ...(upgrade && { upgrade }) }, {
      onConnect: abort => { abortNow = () => abort(reason) },
      onHeaders: () => told.push('headers') > 0,
      onData: () => told.push('data') > 0,
      onComplete: () => { told.push('end') },
      onUpgrade: () => { told.push('upgrade') },
      onError: error => {
        told.push(error)
        setImmediate(resolve)
      }
    }))
    await until(async () => await server.connections() === 0)
    t.same(told, [reason])
  }
  await close()
})

/** While the test runs. */
function listen (t: Test, name: string, listener: () => void): void {
  subscribe(`fastify-consul:${name}`, listener)
  t.teardown(() => unsubscribe(`fastify-consul:${name}`, listener))
}

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { Endpoint, type Outcome, type Timing } from '../../lib/balancing/endpoint.ts'
import { instance } from '../balancing/helpers.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { MemorySource, outlier, startCalls, startServer } from './helpers.ts'

interface Told {
  readonly outcome: Outcome
  readonly latency: number | undefined
  readonly timing: Timing | undefined
}

/** What endpoints are told while a test runs. */
function listen (t: Test): Told[] {
  const told: Told[] = []
  const { record } = Endpoint.prototype
  Endpoint.prototype.record = function (outcome, startedAt, now, latency, timing) {
    told.push({ outcome, latency, timing })
    record.call(this, outcome, startedAt, now, latency, timing)
  }
  t.teardown(() => Object.assign(Endpoint.prototype, { record }))
  return told
}

/** So that one may be ejected; the strategy `first` does not send it anything. */
const another = instance({ id: 'z', port: 1 })

t.test('a body whose source fails is no fault of the instance\'s, whatever kind of body it is', async t => {
  const told = listen(t)
  const { instance, server } = await startServer(t, 'a', request => { request.on('error', () => {}).resume() })
  const clock = new ManualClock()
  const { request, ejectionOf } = startCalls(t, new MemorySource({ svc: [instance, another] }), {
    strategy: 'first', outlier, clock
  })
  async function * parts () {
    yield Buffer.from('some')
    await once(server, 'request')
    clock.advance(20)
    throw Object.assign(new Error('the disk is gone'), { code: 'ECONNRESET' })
  }
  for (const method of ['POST', 'PUT'] as const) {
    for (const bodyOf of [parts, () => Readable.from(parts()), () => ReadableStream.from(parts())]) {
      for (const retries of [0, 2]) {
        const body = bodyOf() as Readable
        await t.rejects(request('http://svc/', { method, body, balance: { retries } }), { message: 'the disk is gone' })
      }
    }
  }
  t.same(told.map(({ outcome }) => outcome), Array(12).fill('neutral'))
  t.equal(ejectionOf(instance), undefined)
})

t.test('a limit is the instance\'s fault if it had at least half of the time to itself', async t => {
  const told = listen(t)
  const { instance, server } = await startServer(t, 'silent', () => {})
  const fail = async (before: number) => {
    const clock = new ManualClock()
    const { request } = startCalls(t, new MemorySource({ svc: [instance] }), { timeout: 100, retries: 0, clock })
    const failed = t.rejects(request('http://svc/'), { code: 'FST_CONSUL_ATTEMPT_TIMEOUT' })
    // Its connection is not there yet.
    clock.advance(before)
    await once(server, 'request')
    clock.advance(100 - before)
    await failed
  }
  await fail(51)
  await fail(49)
  t.same(told.map(({ outcome, latency }) => [outcome, latency]), [['neutral', 49], ['failure', 51]])
})

t.test('time in our own line, and that of an upload, is no latency of the instance', async t => {
  const told = listen(t)
  const { instance, server } = await startServer(t, 'a', (request, response) => {
    request.resume().once('end', () => { server.once('answer', () => response.end('a')) })
  })
  const clock = new ManualClock()
  const { request } = startCalls(t, new MemorySource({ svc: [instance] }), { connections: 1, clock })
  const first = request('http://svc/')
  await once(server, 'request')
  const second = request('http://svc/')
  clock.advance(5000)
  server.emit('answer')
  await (await first).body.text()
  await once(server, 'request')
  clock.advance(7)
  server.emit('answer')
  await (await second).body.text()

  const body = new Readable({ read () {} })
  const upload = request('http://svc/', { method: 'POST', body })
  body.push('one')
  const [{ socket }] = await once(server, 'request')
  clock.advance(20_000)
  body.push('two')
  body.push(null)
  while (server.listenerCount('answer') === 0) await once(socket, 'data')
  clock.advance(3)
  server.emit('answer')
  await (await upload).body.text()
  t.same(told.map(({ latency }) => latency), [5000, 7, 3])
})

t.test('a connection that is used again and breaks soon was closed before; later that is a failure', async t => {
  const told = listen(t)
  const clock = new ManualClock()
  const served = new WeakSet()
  let after = 0
  const { instance } = await startServer(t, 'a', ({ socket }, response) => {
    if (!served.has(socket)) {
      served.add(socket)
      response.end('a')
      return
    }
    clock.advance(after)
    socket.destroy()
  })
  const { request } = startCalls(t, new MemorySource({ svc: [instance] }), { retries: 0, clock })
  const call = async () => await request('http://svc/', { method: 'POST' }).then(({ body }) => body.text())
  for (const ms of [300, 301]) {
    after = ms
    await call()
    await t.rejects(call(), { code: 'UND_ERR_SOCKET' })
  }
  t.same(told.map(({ outcome }) => outcome), ['success', 'neutral', 'success', 'failure'])
})

t.test('the time that an error takes is not typical, whoever\'s error it is', async t => {
  const told = listen(t)
  const { instance } = await startServer(t, 'a', ({ url }, response) => {
    response.writeHead(Number(url?.slice(1)), { 'x-consul-no-instance': url === '/504' ? '1' : '' }).end()
  })
  const { request } = startCalls(t, new MemorySource({ svc: [instance] }))
  for (const status of [200, 304, 401, 404, 429, 500, 501, 504]) await (await request(`http://svc/${status}`)).body.dump()
  t.same(told.map(({ timing }) => timing), ['measured', 'measured', ...Array(6).fill('untypical')])
})

t.test('an attempt says how it went and how long it took from the first moment', async t => {
  const clock = new ManualClock()
  const { instance, server } = await startServer(t, 'a', (_, response) => {
    clock.advance(5)
    response.end('a')
  })
  const { request } = startCalls(t, new MemorySource({ svc: [instance] }), { clock })
  const messages: object[] = []
  const collect = (message: unknown) => { messages.push(message as object) }
  subscribe('fastify-consul:attempt', collect)
  t.teardown(() => unsubscribe('fastify-consul:attempt', collect))
  server.once('connection', () => clock.advance(10))
  await (await request('http://svc/')).body.text()
  t.match(messages, [{ service: 'svc', outcome: 'success', status: 200, duration: 15 }])
})

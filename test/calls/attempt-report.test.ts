import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { access } from 'node:fs/promises'
import { type Duplex, Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { Endpoint } from '../../lib/balancing/endpoint.ts'
import type { Outcome, Timing } from '../../lib/balancing/outcome.ts'
import { instance } from '../balancing/helpers.ts'
import { typeScript } from '../support/children.ts'
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

t.test('a body that its caller gives up is no fault of the instance\'s, sent in part or not at all', async t => {
  const told = listen(t)
  const { instance, server } = await startServer(t, 'a', request => { request.on('error', () => {}).resume() })
  const { request, fetch, ejectionOf } = startCalls(t, new MemorySource({ svc: [instance, another] }), {
    strategy: 'first', outlier
  })
  const given = { code: 'UND_ERR_ABORTED' }
  for (const method of ['POST', 'PUT'] as const) {
    const before = new Readable({ read () {} }).destroy()
    await once(before, 'close')
    await t.rejects(request('http://svc/', { method, body: before }), given)
    const body = new Readable({ read () {} })
    body.push('some')
    const failed = t.rejects(request('http://svc/', { method, body }), given)
    await once(server, 'request')
    body.destroy()
    await failed
    const stream = new Readable({ read () {} })
    stream.push('some')
    const fetched = t.rejects(fetch('http://svc/', { method, body: stream, duplex: 'half' }))
    await once(server, 'request')
    stream.destroy()
    await fetched
  }
  t.same(told.map(({ outcome }) => outcome), Array(6).fill('neutral'))
  t.equal(ejectionOf(instance), undefined)
})

t.test('a body that cannot be written is no fault of the instance\'s, and the error names the body', async t => {
  const told = listen(t)
  const { instance } = await startServer(t, 'a', request => { request.on('error', () => {}).resume() })
  const { request, ejectionOf } = startCalls(t, new MemorySource({ svc: [instance, another] }), {
    strategy: 'first', outlier
  })
  function * numbers () { yield 1 }
  async function * nothing () { yield null }
  const bodies = [
    () => 5, () => ({ a: 1 }), () => () => {}, () => [1, 2], () => new Map([['a', 'b']]), numbers, nothing,
    () => [new ArrayBuffer(1)], () => Readable.from([{ a: 1 }]), () => ReadableStream.from([1])
  ]
  for (const method of ['POST', 'PUT'] as const) {
    for (const bodyOf of bodies) {
      const body = bodyOf() as unknown as string
      await t.rejects(request('http://svc/', { method, body }), { code: 'UND_ERR_INVALID_ARG', message: /^body must/ })
    }
  }
  t.same(told.map(({ outcome }) => outcome), Array(2 * bodies.length).fill('neutral'))
  t.equal(ejectionOf(instance), undefined)
})

t.test('that this process has no sockets left is no fault of the instance\'s', async t => {
  const { instance } = await startServer(t, 'a')
  const script = fileURLToPath(new URL('no-sockets.ts', import.meta.url))
  const limited = ['-c', 'ulimit -n 100 && exec "$0" "$@"', process.execPath, ...typeScript, script, `${instance.port}`]
  const { stdout } = await promisify(execFile)('sh', limited)
  t.same(JSON.parse(stdout), ['neutral', 'EMFILE'])
})

t.test('a body whose source pauses is no fault of the instance\'s, nor its latency; a connection that is full is',
  async t => {
    const told = listen(t)
    const reading = await startServer(t, 'a', request => { request.on('error', () => {}).resume() })
    const stopped = await startServer(t, 'b', request => { request.on('error', () => {}).pause() })
    const clock = new ManualClock()
    const { request } = startCalls(t, new MemorySource({ a: [reading.instance], b: [stopped.instance] }), {
      timeout: 1000, retries: 0, clock
    })
    async function * parts (first: Buffer) {
      yield first
      await new Promise<void>(resolve => t.teardown(() => resolve()))
    }
    const bodies: ((first: Buffer) => unknown)[] = [
      parts, first => Readable.from(parts(first)), first => ReadableStream.from(parts(first))
    ]
    for (const method of ['POST', 'PUT'] as const) {
      for (const bodyOf of bodies) {
        for (const [service, { server }] of [['a', reading], ['b', stopped]] as const) {
          const first = Buffer.alloc(service === 'a' ? 1 : 50_000_000)
          const failed = t.rejects(request(`http://${service}/`, { method, body: bodyOf(first) as Readable }))
          await once(server, 'request')
          clock.advance(1000)
          await failed
        }
      }
    }
    const expected = Array(6).fill([['neutral', 0], ['failure', 1000]]).flat()
    t.same(told.map(({ outcome, latency }) => [outcome, latency]), expected)
  })

t.test('a limit is the instance\'s fault if it had at least half of the time to itself, that of connecting too',
  async t => {
    const told = listen(t)
    const { instance, server } = await startServer(t, 'silent', () => {})
    const connecting = async (before: number, body?: string) => {
      const clock = new ManualClock()
      const { request } = startCalls(t, new MemorySource({ svc: [instance] }), { deadline: 100, retries: 0, clock })
      // In that phase of the event loop after which it turns before it hears of connections.
      await access('.')
      const failed = t.rejects(request('http://svc/', { method: 'POST', ...(body && { body }) }))
      await turn()
      clock.advance(before)
      if (before < 100) await once(server, 'request')
      clock.advance(100 - before)
      await failed
    }
    const inLine = async (before: number) => {
      const clock = new ManualClock()
      const { dispatcher } = startCalls(t, new MemorySource({ svc: [instance] }), { connections: 1, retries: 0, clock })
      const get = { origin: 'http://svc', path: '/', method: 'GET' } as const
      const abort = new AbortController()
      const first = t.rejects(dispatcher.request({ ...get, signal: abort.signal }))
      await once(server, 'request')
      const failed = t.rejects(dispatcher.request({ ...get, balance: { deadline: 100 } } as typeof get))
      clock.advance(before)
      // The second one gets its place, and a connection has to be made.
      abort.abort()
      await first
      clock.advance(100 - before)
      await failed
    }
    await connecting(51)
    await connecting(51, 'body')
    await connecting(100)
    t.same(told.map(({ outcome, latency }) => [outcome, latency]), [['failure', 49], ['failure', 49], ['failure', 100]])
    told.length = 0
    await inLine(51)
    await inLine(49)
    t.same(told.map(({ outcome, latency }) => [outcome, latency]), [
      ['neutral', 51], ['neutral', 49], ['neutral', 49], ['failure', 51]
    ])
  })

t.test('a limit is not the instance\'s fault if this process stood still before the request was written', async t => {
  const told = listen(t)
  const { instance, server } = await startServer(t, 'a', ({ url }, response) => { if (url === '/') response.end('a') })
  const clock = new ManualClock()
  const { request } = startCalls(t, new MemorySource({ svc: [instance] }), { timeout: 100, retries: 0, clock })
  const stall = async () => {
    const failed = t.rejects(request('http://svc/silent'), { code: 'FST_CONSUL_ATTEMPT_TIMEOUT' })
    clock.advance(90)
    await once(server, 'request')
    clock.advance(10)
    await failed
  }
  await (await request('http://svc/')).body.text()
  await stall()
  await stall()
  t.same(told.map(({ outcome, latency }) => [outcome, latency]), [['success', 0], ['neutral', 10], ['neutral', 10]])
})

t.test('a process that stands still again and again for most of the limit ejects nobody for it', async t => {
  const told = listen(t)
  const { instance } = await startServer(t, 'a', ({ url }, response) => {
    if (url === '/') response.end('a')
    else setTimeout(() => response.end('a'), 100)
  })
  const { request, ejectionOf } = startCalls(t, new MemorySource({ svc: [instance, another] }), {
    strategy: 'first', timeout: 300, retries: 0, outlier
  })
  await (await request('http://svc/')).body.text()
  for (let call = 0; call < 6; call++) {
    // On a connection that was used before, then on new ones.
    const answered = request('http://svc/slow').then(({ body }) => body.text(), () => {})
    const begun = performance.now()
    while (performance.now() - begun < 270);
    await answered
  }
  t.notOk(told.some(({ outcome }) => outcome === 'failure'))
  t.equal(ejectionOf(instance), undefined)
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

t.test('the next one that breaks is a failure too, unless one that was used again has answered', async t => {
  const told = listen(t)
  const clock = new ManualClock()
  const counts = new WeakMap<object, number>()
  let lasts = 1
  const { instance } = await startServer(t, 'a', ({ socket }, response) => {
    const count = (counts.get(socket) ?? 0) + 1
    counts.set(socket, count)
    clock.advance(15)
    if (count <= lasts) response.end('a')
    else socket.destroy()
  })
  const { request } = startCalls(t, new MemorySource({ svc: [instance] }), { retries: 0, clock })
  const call = async () => await request('http://svc/', { method: 'POST' }).then(({ body }) => body.text(), () => {})
  for (let each = 0; each < 6; each++) await call()
  t.same(told.map(({ outcome }) => outcome), ['success', 'neutral', 'success', 'failure', 'success', 'failure'])
  told.length = 0
  lasts = 2
  for (let each = 0; each < 6; each++) await call()
  t.same(told.map(({ outcome }) => outcome), ['success', 'success', 'neutral', 'success', 'success', 'neutral'])
})

t.test('connections that break together are one moment', async t => {
  const told = listen(t)
  const clock = new ManualClock()
  const sockets = new Set<Duplex>()
  const { instance, server } = await startServer(t, 'a', ({ url, socket }, response) => {
    if (url === '/') response.end('a')
    else sockets.add(socket)
    if (sockets.size === 3) server.emit('all')
  })
  const { request } = startCalls(t, new MemorySource({ svc: [instance] }), { retries: 0, clock })
  const three = async (path: string) => await Promise.all([1, 2, 3].map(async () => {
    await request(`http://svc${path}`, { method: 'POST' }).then(({ body }) => body.text(), () => {})
  }))
  await three('/')
  clock.advance(1)
  const broken = three('/break')
  await once(server, 'all')
  clock.advance(1)
  for (const socket of sockets) socket.destroy()
  await broken
  t.same(told.map(({ outcome }) => outcome), [...Array(3).fill('success'), ...Array(3).fill('neutral')])
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

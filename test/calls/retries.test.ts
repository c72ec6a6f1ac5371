import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { FormData, Request } from 'undici'
import type { PickMessage } from '../../lib/calls/events.ts'
import { instance } from '../balancing/helpers.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/wait.ts'
import { startBlackHole } from './black-hole.ts'
import { eject, MemorySource, outlier, startCalls, startServer } from './helpers.ts'

const methods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST', 'PATCH'] as const
const repeated = new Set<string>(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const breakOff: Handler = request => { request.socket.destroy() }
const refuse = (status: number, headers = {}): Handler => (_, response) => {
  response.writeHead(status, headers).end('refused')
}
const breakAfterBody: Handler = async request => {
  await once(request, 'data')
  request.socket.destroy()
}
const echo: Handler = (request, response) => { request.pipe(response) }

/** Calls to the first of two instances, which does badly, and then to the other one, which echoes. */
async function startPair (t: Test, handler: Handler, options: Parameters<typeof startCalls>[2] = {}) {
  const [bad, good] = [await startServer(t, 'a', handler), await startServer(t, 'b', echo)]
  const source = new MemorySource({ svc: [bad.instance, good.instance] })
  return { bad, good, source, ...startCalls(t, source, { strategy: 'first', ...options }) }
}

t.test('a request whose connection broke is sent once more if its method may be carried out twice', async t => {
  const { bad, good, request } = await startPair(t, breakOff)
  for (const method of methods) {
    const call = request('http://svc/', { method })
    if (repeated.has(method)) t.equal((await call).statusCode, 200, method)
    else await t.rejects(call, { code: 'UND_ERR_SOCKET' }, method)
  }
  t.equal(bad.requests, methods.length)
  t.equal(good.requests, repeated.size)
})

t.test('what cannot be read as a response is no answer: another instance is asked', async t => {
  const unreadable: Handler[] = [
    ({ socket }) => { socket.end('HELLO\r\n\r\n') },
    (_, response) => { response.setHeader('x', 'x'.repeat(20_000)).end() }
  ]
  for (const handler of unreadable) {
    const { bad, request } = await startPair(t, handler)
    t.equal((await request('http://svc/')).statusCode, 200)
    await t.rejects(request('http://svc/', { method: 'POST' }), { name: /^(HTTPParser|HeadersOverflow)Error$/ })
    t.equal(bad.requests, 2)
  }
})

t.test('a response of 502, 503 or 504 is not the answer while another instance has one', async t => {
  for (const status of [502, 503, 504]) {
    const { bad, good, request, fetch } = await startPair(t, refuse(status))
    for (const method of methods) {
      const { statusCode, body } = await request('http://svc/', { method })
      await body.dump()
      t.equal(statusCode, repeated.has(method) ? 200 : status, `${status} to ${method}`)
    }
    t.equal((await fetch('http://svc/')).status, 200)
    t.equal((await fetch('http://svc/', { method: 'POST' })).status, status)
    t.equal(bad.requests, methods.length + 2)
    t.equal(good.requests, repeated.size + 1)
  }
})

t.test('any other status is the answer', async t => {
  for (const status of [429, 500, 501, 505]) {
    const { good, request } = await startPair(t, refuse(status))
    t.equal((await request('http://svc/')).statusCode, status)
    t.equal(good.requests, 0)
  }
})

t.test('a refusal for want of an instance further down is the answer', async t => {
  const { good, request } = await startPair(t, refuse(503, { 'X-Consul-No-Instance': '1' }))
  const { statusCode, headers, body } = await request('http://svc/')
  t.match({ statusCode, headers }, { statusCode: 503, headers: { 'x-consul-no-instance': '1' } })
  t.equal(await body.text(), 'refused')
  t.equal(good.requests, 0)
})

t.test('an instance that does not answer in time is left for another one', async t => {
  const clock = new ManualClock()
  const { bad, good, request } = await startPair(t, () => {}, { timeout: 1000, clock })
  const answer = request('http://svc/')
  await until(() => bad.requests === 1)
  clock.advance(1000)
  clock.advance(25)
  t.equal((await answer).statusCode, 200)
  const rejected = t.rejects(request('http://svc/', { method: 'POST' }), { code: 'FST_CONSUL_ATTEMPT_TIMEOUT' })
  await until(() => bad.requests === 2)
  clock.advance(1000)
  await rejected
  t.equal(good.requests, 1)
})

t.test('nor is one that the caller gave less time waited for', async t => {
  const { bad, good, request } = await startPair(t, () => {})
  t.equal((await request('http://svc/', { headersTimeout: 50 })).statusCode, 200)
  await t.rejects(request('http://svc/', { method: 'POST', headersTimeout: 50 }), { code: 'UND_ERR_HEADERS_TIMEOUT' })
  t.same([bad.requests, good.requests], [2, 1])
})

t.test('the caller may know better whether a request may be carried out twice', async t => {
  const { good, request } = await startPair(t, breakOff)
  t.equal((await request('http://svc/', { method: 'POST', idempotent: true })).statusCode, 200)
  await t.rejects(request('http://svc/', { idempotent: false }), { code: 'UND_ERR_SOCKET' })
  t.equal(good.requests, 1)
})

t.test('after response headers nothing is sent again', async t => {
  const { good, request, fetch } = await startPair(t, (_, response) => {
    response.write('half', () => response.socket?.destroy())
  })
  const { body } = await request('http://svc/')
  await t.rejects(body.text(), { code: 'UND_ERR_SOCKET' })
  await t.rejects((await fetch('http://svc/')).text(), { message: 'terminated' })
  t.equal(good.requests, 0)
})

t.test('a body that is given whole, up to 64 KiB, is sent once more', async t => {
  const { good, request, fetch } = await startPair(t, breakAfterBody)
  const form = (Form: typeof FormData, text = 'value') => {
    const made = new Form()
    made.append('name', text)
    made.append('file', new Blob(['content'], { type: 'text/css' }), 'style.css')
    return made
  }
  const whole = (text: string) => new RegExp(`^${text}$`)
  const parts = /name="name"\r\n\r\nvalue\r\n[^]*filename="style.css"[^]*\r\ncontent\r\n--[^]*--\r\n$/
  const bodies: [body: unknown, received: RegExp][] = [
    ['text', whole('text')],
    ['ä'.repeat(32 * 1024), whole('ä{32768}')],
    [Buffer.from('bytes'), whole('bytes')],
    [new Uint8Array([65, 66]), whole('AB')],
    [new DataView(new Uint8Array([65, 66]).buffer), whole('AB')],
    [new Uint8Array([65, 66]).buffer, whole('AB')],
    [new Blob(['blob']), whole('blob')],
    [new URLSearchParams({ a: 'b c' }), whole('a=b\\+c')],
    [form(FormData), parts],
    [form(globalThis.FormData as typeof FormData), parts]
  ]
  for (const [given, received] of bodies) {
    const body = given as string
    t.match(await (await request('http://svc/', { method: 'PUT', body })).body.text(), received)
    t.match(await (await fetch('http://svc/', { method: 'PUT', body })).text(), received)
  }
  t.equal(good.requests, 2 * bodies.length)
})

t.test('so is the body of a Request, whatever that was made of', async t => {
  const { good, fetch } = await startPair(t, breakAfterBody)
  for (const Kind of [Request, globalThis.Request as unknown as typeof Request]) {
    for (const body of ['text', ReadableStream.from([Buffer.from('text')])]) {
      const request = new Kind('http://svc/', { method: 'PUT', body, duplex: 'half' })
      t.equal(await (await fetch(request)).text(), 'text')
    }
  }
  t.equal(good.requests, 4)
})

t.test('a longer body, a stream and whatever gives its parts one by one are sent but once', async t => {
  const { bad, good, request, fetch } = await startPair(t, breakAfterBody)
  const long = 'x'.repeat(64 * 1024 + 1)
  const form = new FormData()
  form.append('name', long)
  async function * generate () { yield 'x' }
  function * generateAtOnce () { yield 'x' }
  const bodies: (() => unknown)[] = [
    () => long, () => Buffer.from(long), () => new Blob([long]), () => new URLSearchParams({ long }), () => form,
    () => Readable.from(['x']), () => new Blob(['x']).stream(), generate
  ]
  const broken = { code: /UND_ERR_SOCKET|ECONNRESET|EPIPE/ }
  for (const bodyOf of bodies) {
    const [one, other] = [bodyOf() as string, bodyOf() as string]
    await t.rejects(request('http://svc/', { method: 'PUT', body: one, idempotent: true }), broken)
    await t.rejects(fetch('http://svc/', { method: 'PUT', body: other, duplex: 'half' }), { cause: broken })
  }
  // fetch takes these for text.
  for (const body of [['x'], new Set(['x']), generateAtOnce()]) {
    await t.rejects(request('http://svc/', { method: 'PUT', body: body as unknown as string }), broken)
  }
  t.same([bad.requests, good.requests], [2 * bodies.length + 3, 0])
})

t.test('the dispatcher cannot know a generator from what fetch makes of a body, and sends its parts again', async t => {
  const { good, dispatcher } = await startPair(t, breakAfterBody)
  const put = { origin: 'http://svc', path: '/', method: 'PUT' } as const
  async function * generate () { yield 'x' }
  t.equal(await (await dispatcher.request({ ...put, body: generate() as unknown as string })).body.text(), 'x')
  await t.rejects(dispatcher.request({ ...put, body: new Blob(['x']).stream() as unknown as string }))
  t.equal(good.requests, 1)
})

t.test('a request is sent at most twice more, or as often as the options or the call say', async t => {
  const servers = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(id => startServer(t, id, refuse(503))))
  const source = new MemorySource({ svc: servers.map(({ instance }) => instance) })
  const sent = () => servers.reduce((sum, { requests }) => sum + requests, 0)
  const cases = [[2, undefined, 3], [0, undefined, 1], [2, 1, 2], [0, 3, 4], [2, 0, 1], [9, undefined, 5]] as const
  for (const [retries, own, expected] of cases) {
    const { request, fetch } = startCalls(t, source, { retries })
    for (const call of [request, fetch]) {
      const before = sent()
      const response = await call('http://svc/', { balance: { retries: own } })
      t.equal('status' in response ? response.status : response.statusCode, 503, 'the last answer is the answer')
      t.equal(sent() - before, expected, `${retries} in the options, ${own} in the call`)
    }
  }
})

t.test('an instance is not tried twice, and alone its refusal is the answer', async t => {
  const server = await startServer(t, 'a', refuse(503))
  const broken = await startServer(t, 'a', breakOff)
  for (const [{ instance }, outcome] of [[server, 503], [broken, 'UND_ERR_SOCKET']] as const) {
    const { request } = startCalls(t, new MemorySource({ svc: [instance] }))
    t.equal(await request('http://svc/').then(({ statusCode }) => statusCode, ({ code }) => code), outcome)
  }
  t.equal(server.requests, 1)
  t.equal(broken.requests, 1)
})

t.test('all calls share one budget', async t => {
  const { bad, good, request } = await startPair(t, refuse(503), { retryBudget: { ratio: 0.5, perSecond: 0 } })
  const statuses = []
  for (let call = 0; call < 20; call++) {
    const { statusCode, body } = await request('http://svc/')
    await body.dump()
    statuses.push(statusCode)
  }
  t.equal(bad.requests, 20)
  t.equal(good.requests, 10)
  t.same(statuses.slice(0, 4), [503, 200, 503, 200])
})

t.test('what was not sent costs the budget nothing', async t => {
  const good = await startServer(t, 'b')
  const source = new MemorySource({ svc: [instance({ port: await freePort() }), good.instance] })
  const { request } = startCalls(t, source, { strategy: 'first', retries: 0, retryBudget: { ratio: 0, perSecond: 0 } })
  for (const method of ['GET', 'POST'] as const) t.equal((await request('http://svc/', { method })).statusCode, 200)
})

t.test('when nobody is left, the error is that of the request that was sent', async t => {
  const bad = await startServer(t, 'a', breakOff)
  const source = new MemorySource({ svc: [bad.instance, instance({ id: 'b', port: await freePort() })] })
  const { request } = startCalls(t, source, { strategy: 'first' })
  await t.rejects(request('http://svc/'), { code: 'UND_ERR_SOCKET' })
})

t.test('when nobody is left after a refusal, the error says so', async t => {
  const bad = await startServer(t, 'a', refuse(503))
  const source = new MemorySource({ svc: [bad.instance, instance({ id: 'b', port: await freePort() })] })
  const { request } = startCalls(t, source, { strategy: 'first' })
  await t.rejects(request('http://svc/'), {
    code: 'FST_CONSUL_NO_INSTANCE',
    message: /of 2 tried none served the request, connect ECONNREFUSED/
  })
})

t.test('the connection of a refused request is used again', async t => {
  const { bad, request } = await startPair(t, refuse(503))
  let opened = 0
  bad.server.on('connection', () => { opened++ })
  for (let call = 0; call < 5; call++) t.equal((await request('http://svc/')).statusCode, 200)
  t.equal(bad.requests, 5)
  t.equal(opened, 1)
})

t.test('a refusal that has no end holds nothing up', async t => {
  const { bad, request, close } = await startPair(t, (_, response) => {
    response.writeHead(503)
    const write = (): void => { if (!response.destroyed) response.write('x'.repeat(1000), () => setImmediate(write)) }
    write()
  })
  const closed = once(bad.server, 'connection').then(([socket]) => once(socket, 'close'))
  t.equal((await request('http://svc/')).statusCode, 200)
  await closed
  await close()
})

t.test('connecting, refusals and breaks together reach the instance that is well', async t => {
  const good = await startServer(t, 'z')
  const source = new MemorySource({
    svc: [
      instance({ id: '1', port: await startBlackHole(t) }),
      (await startServer(t, '2', breakOff)).instance,
      instance({ id: '3', port: await freePort() }),
      (await startServer(t, '4', refuse(503))).instance,
      good.instance
    ]
  })
  const { fetch } = startCalls(t, source, { strategy: 'first', connectTimeout: 1000 })
  t.equal(await (await fetch('http://svc/')).text(), 'z')
  await t.rejects(fetch('http://svc/', { method: 'POST' }), { cause: { code: 'UND_ERR_SOCKET' } })
  t.equal(good.requests, 1)
})

t.test('who meets a stale connection is sent there again, and to nobody who is to be tried out', async t => {
  const clock = new ManualClock()
  const well = await startServer(t, 'well', (request, response) => {
    if (well.requests !== 2) return response.end('well')
    clock.advance(50)
    request.socket.destroy()
  })
  const ejected = await startServer(t, 'ejected', (_, response) => {
    clock.advance(20)
    response.writeHead(503).end()
  })
  const calls = startCalls(t, new MemorySource({ svc: [well.instance, ejected.instance] }), {
    clock, retries: 1, outlier: { ...outlier, ejectionTime: 30 }
  })
  await eject(calls, ejected.instance)
  const before = ejected.requests
  const tried: number[] = []
  const listener = (message: unknown): void => { tried.push((message as PickMessage).tried) }
  subscribe('fastify-consul:pick', listener)
  t.teardown(() => unsubscribe('fastify-consul:pick', listener))
  for (let call = 0; call < 2; call++) t.equal(await (await calls.request('http://svc/')).body.text(), 'well')
  t.same([well.requests, ejected.requests], [3, before])
  t.same(tried, [0, 0, 1])
})

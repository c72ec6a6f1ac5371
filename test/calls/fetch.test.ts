import { text } from 'node:stream/consumers'
import { ReadableStream } from 'node:stream/web'
import t from 'tap'
import { Agent, FormData, Headers, interceptors, MockAgent, Request, Response, type Dispatcher } from 'undici'
import { tally } from '../balancing/helpers.ts'
import { MemorySource, startCalls, startServer } from './helpers.ts'

type Teardown = Parameters<typeof startServer>[0]

async function startEcho (t: Teardown) {
  const echo = await startServer(t, 'echo', async (request, response) => {
    const { method, url, headers } = request
    const body = await text(request)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ method, url, type: headers['content-type'], custom: headers['x-custom'], body }))
  })
  return { echo, calls: startCalls(t, new MemorySource({ svc: [echo.instance] })) }
}

t.test('fetch() is spread exactly over the instances', async t => {
  const servers = [await startServer(t, 'a'), await startServer(t, 'b'), await startServer(t, 'c')]
  const { fetch } = startCalls(t, new MemorySource({ svc: servers.map(({ instance }) => instance) }))
  const bodies = []
  for (let call = 0; call < 30; call++) bodies.push(await (await fetch(`http://svc/${call}`)).text())
  t.same(tally(bodies), { a: 10, b: 10, c: 10 })
})

t.test('the input may be a string, a URL, or a Request of undici or of Node', async t => {
  const { calls: { fetch } } = await startEcho(t)
  const url = 'http://svc/path?query'
  const init = { method: 'PUT', body: 'hello', headers: { 'x-custom': 'yes' } }
  const inputs = [
    () => fetch(url, init),
    () => fetch(new URL(url), init),
    () => fetch(new Request(url, init)),
    () => fetch(new globalThis.Request(url, init)),
    () => fetch(new globalThis.Request(url, { method: 'POST', body: 'other' }), init),
    () => fetch({ toString: () => url } as string, init)
  ]
  for (const call of inputs) {
    const response = await call()
    t.type(response, Response)
    t.match(await response.json(), { method: 'PUT', url: '/path?query', custom: 'yes', body: 'hello' })
  }
})

t.test('a Request of Node keeps its signal and its redirect mode, and is used up', async t => {
  const { echo, calls: { fetch } } = await startEcho(t)
  const abort = new AbortController()
  abort.abort(new Error('the user left'))
  await t.rejects(fetch(new globalThis.Request('http://svc/', { signal: abort.signal })), { message: 'the user left' })
  const used = new globalThis.Request('http://svc/', { method: 'POST', body: 'once' })
  await (await fetch(used)).text()
  t.equal(used.bodyUsed, true)
  await t.rejects(fetch(used), TypeError)
  echo.server.removeAllListeners('request')
  echo.server.on('request', (_, response) => response.writeHead(302, { location: '/there' }).end())
  const response = await fetch(new globalThis.Request('http://svc/', { redirect: 'manual' }))
  t.equal(response.status, 302)
})

t.test('a body may be anything that fetch takes, of Node\'s kind too', async t => {
  const { calls: { fetch } } = await startEcho(t)
  const form = (Form: typeof FormData) => {
    const made = new Form()
    made.append('field', 'value')
    made.append('file', new Blob(['content'], { type: 'text/css' }), 'style.css')
    return made
  }
  const stream = () => ReadableStream.from([Buffer.from('streamed')])
  const bodies: [body: unknown, type: RegExp | undefined, content: RegExp][] = [
    ['text', /^text\/plain/, /^text$/],
    [Buffer.from('bytes'), undefined, /^bytes$/],
    [new Blob(['blob'], { type: 'image/png' }), /^image\/png$/, /^blob$/],
    [new URLSearchParams({ a: 'b c' }), /^application\/x-www-form-urlencoded/, /^a=b\+c$/],
    [stream(), undefined, /^streamed$/],
    [form(FormData), /^multipart\/form-data/, /name="field"[^]*value[^]*filename="style.css"[^]*text\/css[^]*content/],
    [form(globalThis.FormData as typeof FormData), /^multipart\/form-data/,
      /name="field"[^]*value[^]*filename="style.css"[^]*text\/css[^]*content/]
  ]
  for (const [body, type, content] of bodies) {
    const init = { method: 'POST', body: body as string, duplex: 'half' as const }
    const { body: received, type: sent } = await (await fetch('http://svc/', init)).json() as Record<string, string>
    t.match(received, content)
    type === undefined ? t.equal(sent, undefined) : t.match(sent, type)
  }
})

t.test('headers may be undici\'s or Node\'s', async t => {
  const { calls: { fetch } } = await startEcho(t)
  for (const Kind of [Headers, globalThis.Headers as unknown as typeof Headers]) {
    const response = await fetch('http://svc/', { headers: new Kind({ 'x-custom': 'yes' }) })
    t.match(await response.json(), { custom: 'yes' })
  }
})

t.test('the response comes in no faster than it is read', async t => {
  let written = 0
  const chunk = Buffer.alloc(64 * 1024)
  const total = 64 * 1024 * 1024
  const fire = await startServer(t, 'a', (_, response) => {
    const write = () => {
      while (written < total) {
        written += chunk.length
        if (!response.write(chunk)) return response.once('drain', write)
      }
      return response.end()
    }
    write()
  })
  const { fetch, request } = startCalls(t, new MemorySource({ svc: [fire.instance] }))
  const kinds = [
    async () => (await fetch('http://svc/')).body as ReadableStream<Uint8Array>,
    async () => (await request('http://svc/')).body
  ]
  for (const start of kinds) {
    written = 0
    const body = await start()
    let stalled = -1
    while (stalled !== written) {
      stalled = written
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    t.equal(written < total / 2, true, `${written} bytes are on their way`)
    let read = 0
    for await (const part of body) read += part.length
    t.equal(read, total)
  }
})

t.test('our errors are thrown as themselves, others as fetch does', async t => {
  const broken = await startServer(t, 'a', ({ socket }) => socket.destroy())
  const { fetch } = startCalls(t, new MemorySource({ svc: [broken.instance], none: [] }))
  await t.rejects(fetch('http://none/'), { name: 'FastifyError', code: 'FST_CONSUL_NO_INSTANCE', statusCode: 503 })
  await t.rejects(fetch('http://svc/'), { name: 'TypeError', message: 'fetch failed', cause: { code: 'UND_ERR_SOCKET' } })
  await t.rejects(fetch('not a url'), { name: 'TypeError' })
  await t.rejects(fetch('/relative'), { name: 'TypeError' })
  await t.rejects(fetch('http://user:secret@svc/'), { name: 'TypeError' })
})

t.test('balance says how this call is made', async t => {
  const servers = [await startServer(t, 'a'), await startServer(t, 'b')]
  const { fetch } = startCalls(t, new MemorySource({ svc: servers.map(({ instance }) => instance) }))
  const keys: unknown[] = []
  const bodies = await Promise.all([
    fetch('http://svc/', { balance: { strategy: 'first' } }),
    fetch('http://svc/', { balance: { strategy: 'first' } }),
    fetch('http://svc/', {
      balance: {
        key: 'customer-1',
        strategy: (instances, { key, service }) => {
          keys.push(key, service)
          return instances[1]
        }
      }
    })
  ].map(async call => await (await call).text()))
  t.same(bodies, ['a', 'a', 'b'])
  t.same(keys, ['customer-1', 'svc'])
})

t.test('balance is checked before anything else, for ordinary hosts too', async t => {
  const { echo, calls: { fetch } } = await startEcho(t)
  for (const url of ['http://svc/', `http://127.0.0.1:${echo.instance.port}/`]) {
    await t.rejects(fetch(url, { balance: { retries: -1 } }), {
      code: 'FST_CONSUL_INVALID_OPTION', message: /^balance\.retries must be a whole number/
    })
  }
  t.equal(echo.requests, 0)
})

t.test('a dispatcher of the caller\'s own goes first', async t => {
  const moody = await startServer(t, 'a', (_, response) => {
    response.writeHead(moody.requests === 1 ? 503 : 200).end('a')
  })
  const { fetch, dispatcher } = startCalls(t, new MemorySource({ svc: [moody.instance] }))
  const retrying = dispatcher.compose(interceptors.retry({ minTimeout: 1 }))
  const response = await fetch('http://svc/', { dispatcher: retrying, balance: { strategy: 'first' } })
  t.equal(response.status, 200)
  t.equal(moody.requests, 2)
  const seen: unknown[] = []
  const agent = new Agent()
  t.teardown(() => agent.close())
  const watching = agent.compose(dispatch => (options: Dispatcher.DispatchOptions, handler) => {
    seen.push(options.origin)
    return dispatch(options, handler)
  })
  const origin = `http://127.0.0.1:${moody.instance.port}`
  await (await fetch(origin, { dispatcher: watching })).text()
  t.same(seen, [origin])
})

t.test('a MockAgent of the caller\'s own sees the body', async t => {
  const { calls: { fetch } } = await startEcho(t)
  const dispatcher = new MockAgent()
  t.teardown(() => dispatcher.close())
  for (const origin of ['http://svc', 'http://example.com']) {
    dispatcher.get(origin).intercept({ path: '/', method: 'POST', body: 'asked' }).reply(200, 'mocked')
    const init = { method: 'POST', body: 'asked', dispatcher, balance: { timeout: 1000 } }
    t.equal(await (await fetch(`${origin}/`, init)).text(), 'mocked')
  }
})

t.test('undici\'s global dispatcher is left alone', async t => {
  const symbols = [1, 2].map(version => Symbol.for(`undici.globalDispatcher.${version}`))
  const before = symbols.map(symbol => Reflect.get(globalThis, symbol))
  const { calls: { fetch } } = await startEcho(t)
  await (await fetch('http://svc/')).text()
  t.same(symbols.map((symbol, index) => Reflect.get(globalThis, symbol) === before[index]), [true, true])
})

t.test('data: URLs and the like are fetch\'s own', async t => {
  const { calls: { fetch } } = await startEcho(t)
  t.equal(await (await fetch('data:text/plain,hello')).text(), 'hello')
})

t.test('what a strategy function throws comes out of fetch() and request() as it is', async t => {
  const { calls: { fetch, request } } = await startEcho(t)
  const error = new RangeError('no such shard')
  const balance = { strategy: () => { throw error } }
  t.equal(await fetch('http://svc/', { balance }).catch(error => error), error)
  t.equal(await request('http://svc/', { balance }).catch(error => error), error)
})

import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Headers, MockAgent } from 'undici'
import { Balance, parseBalance } from '../../lib/calls/balance.ts'
import type { CallRequestOptions } from '../../lib/calls/request.ts'
import type { StrategyFunction } from '../../lib/options/call-options.ts'
import { instance, tally } from '../balancing/helpers.ts'
import { startNode, typeScript } from '../support/children.ts'
import { until } from '../support/wait.ts'
import { MemorySource, startCalls, startServer } from './helpers.ts'

// lib/calls/calls.ts

t.test('pick() and calls share one order', async t => {
  const servers = [await startServer(t, 'a'), await startServer(t, 'b'), await startServer(t, 'c')]
  const { pick, request } = startCalls(t, new MemorySource({ svc: servers.map(({ instance }) => instance) }))
  const seen = [
    (await pick('svc'))?.id,
    await (await request('http://svc/')).body.text(),
    (await pick('svc'))?.id
  ]
  t.equal(new Set(seen).size, 3)
})

t.test('pick() takes strategy, key, tag and datacenter', async t => {
  const far = instance({ id: 'c', tags: ['v2'], datacenter: 'dc2' })
  const source = new MemorySource({ svc: [instance({ id: 'a' }), instance({ id: 'b', tags: ['v2'] }), far] })
  const { pick } = startCalls(t, source)
  t.equal((await pick('svc', { strategy: 'first' }))?.id, 'a')
  t.equal((await pick('svc', { strategy: 'first', tag: 'v2' }))?.id, 'b')
  t.equal((await pick('svc', { datacenter: 'dc2' }))?.id, 'c')
  t.equal((await pick('svc', { key: 'c', strategy: (all, { key }) => all.find(({ id }) => id === key) }))?.id, 'c')
  await t.rejects(pick('svc', { strategy: 'best' as 'first' }), { code: 'FST_CONSUL_INVALID_OPTION' })
})

t.test('pick() without an instance is null', async t => {
  t.equal(await startCalls(t, new MemorySource()).pick('svc'), null)
})

t.test('pick() waits for discovery, and gives its error', async t => {
  const source = new MemorySource({ svc: [instance()] })
  const { pick } = startCalls(t, source)
  source.hold()
  const picked = pick('svc')
  source.release()
  t.equal((await picked)?.id, 'a')
  source.hold()
  const failed = t.rejects(pick('svc'), { message: 'away' })
  source.release(new Error('away'))
  await failed
})

t.test('after close() nobody listens to the source', async t => {
  const source = new MemorySource()
  const [one, other] = [startCalls(t, source), startCalls(t, source)]
  t.equal(source.listeners, 2)
  await one.close()
  await one.close()
  t.equal(source.listeners, 1)
  await other.destroy()
  t.equal(source.listeners, 0)
  await t.rejects(one.request('http://svc/'), { code: 'FST_CONSUL_CLOSED' })
  await t.rejects(one.fetch('http://svc/'), { code: 'FST_CONSUL_CLOSED' })
})

t.test('a process that has made its calls ends, without close()', async t => {
  const server = await startServer(t, 'a')
  server.server.keepAliveTimeout = 60_000
  const script = fileURLToPath(import.meta.resolve('./one-call.ts'))
  const child = await startNode([...typeScript, script, String(server.instance.port)])
  t.teardown(() => child.kill())
  const begun = performance.now()
  t.same(await child.ended, { code: 0, signal: null })
  t.equal(performance.now() - begun < 20_000, true)
  t.match(child.output, /a$/)
})

t.test('close() ends also when destroy() has to cut it short', async t => {
  const silent = await startServer(t, 'a', () => {})
  const { request, close, destroy } = startCalls(t, new MemorySource({ svc: [silent.instance] }))
  const call = t.rejects(request('http://svc/'))
  await new Promise(resolve => silent.server.once('request', resolve))
  const closing = close()
  await destroy()
  await closing
  await call
})

t.test('destroy() ends all calls, whatever their handlers throw', async t => {
  const silent = await startServer(t, 'a', () => {})
  const { dispatcher, request, destroy } = startCalls(t, new MemorySource({ svc: [silent.instance] }))
  const options = { origin: 'http://svc', path: '/', method: 'GET' } as const
  dispatcher.dispatch(options, { onConnect () {}, onError () { throw new Error('of the caller') } })
  const other = t.rejects(request('http://svc/'), { code: 'UND_ERR_DESTROYED' })
  await until(() => silent.requests === 2)
  const thrown = once(process, 'uncaughtException')
  await destroy()
  await other
  t.match(await thrown, [{ message: 'of the caller' }])
})

// lib/calls/request.ts

async function setUp (t: Parameters<typeof startServer>[0]) {
  const echo = await startServer(t, 'echo', ({ method, url }, response) => response.end(`${method} ${url}`))
  return { echo, ...startCalls(t, new MemorySource({ svc: [echo.instance] })) }
}

t.test('request() is spread exactly over the instances', async t => {
  const servers = [await startServer(t, 'a'), await startServer(t, 'b')]
  const { request } = startCalls(t, new MemorySource({ svc: servers.map(({ instance }) => instance) }))
  const bodies = []
  for (let call = 0; call < 20; call++) bodies.push(await (await request(`http://svc/${call}`)).body.text())
  t.same(tally(bodies), { a: 10, b: 10 })
})

t.test('a strategy that is asynchronous is an error of the call, and of nobody else', async t => {
  const { echo, request, fetch, pick } = await setUp(t)
  const strategy = (async () => { throw new Error('of the promise') }) as unknown as StrategyFunction
  const refused = { code: 'FST_CONSUL_INVALID_OPTION', message: /^balance\.strategy or balancer\.strategy must be/ }
  const balance = { strategy }
  await t.rejects(request('http://svc/', { balance }), refused)
  await t.rejects(fetch('http://svc/', { balance }), refused)
  await t.rejects(pick('svc', { strategy }), refused)
  // By now a rejection that nobody handles would have ended the process.
  await setImmediate()
  t.equal(echo.requests, 0)
})

t.test('whatever a strategy throws, the call fails', async t => {
  const { request, fetch } = await setUp(t)
  for (const thrown of [undefined, null, 0, '', false]) {
    const balance = { strategy: () => { throw thrown } }
    const message = `The strategy has thrown ${thrown}`
    await t.rejects(request('http://svc/', { balance }), { message })
    await t.rejects(fetch('http://svc/', { balance }), { message })
  }
  await t.rejects(request('http://svc/', { balance: { strategy: () => { throw new RangeError('mine') } } }), RangeError)
})

t.test('path, query and method are as in undici', async t => {
  const { request } = await setUp(t)
  const cases = [
    [request('http://svc/path?query#hash'), 'GET /path?query'],
    [request(new URL('http://svc')), 'GET /'],
    [request('http://svc/', { body: 'x' }), 'PUT /'],
    [request('http://svc/', { method: 'DELETE' }), 'DELETE /'],
    [request('http://svc/path', { query: { a: 1 } }), 'GET /path?a=1']
  ] as const
  for (const [call, expected] of cases) t.equal(await (await call).body.text(), expected)
})

t.test('a form of Node\'s kind is sent as a form', async t => {
  const server = await startServer(t, 'a', (request, response) => {
    response.end(request.headers['content-type'])
    request.resume()
  })
  const { request } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  const body = new globalThis.FormData()
  body.append('field', 'value')
  t.match(await (await request('http://svc/', { method: 'POST', body })).body.text(), /^multipart\/form-data/)
})

t.test('URLSearchParams are sent as fetch sends them, with the caller\'s content type if there is one', async t => {
  const server = await startServer(t, 'a', async (request, response) => {
    const body = await text(request)
    response.end(`${request.headers['content-type']} ${request.headers['x-custom']} ${body}`)
  })
  const { request, fetch } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  const body = new URLSearchParams({ a: 'b c', d: 'ä' })
  const usual = 'application/x-www-form-urlencoded;charset=UTF-8'
  const pairs = [['x-custom', 'yes'], ['Content-Type', 'text/own']] as [string, string][]
  const cases = [
    [undefined, `${usual} undefined`],
    [null, `${usual} undefined`],
    [{ 'x-custom': 'yes', 'content-type': undefined }, `${usual} yes`],
    [['x-custom', 'yes'], `${usual} yes`],
    [new Map([['x-custom', 'content-type']]), `${usual} content-type`],
    [Object.fromEntries(pairs), 'text/own yes'],
    [pairs.flat(), 'text/own yes'],
    [new Headers(pairs), 'text/own yes'],
    [new Map(pairs), 'text/own yes']
  ] as const
  const origins = ['http://svc', `http://127.0.0.1:${server.instance.port}`]
  for (const origin of origins) {
    for (const [headers, expected] of cases) {
      const options = { method: 'POST', body, headers } as CallRequestOptions
      t.equal(await (await request(`${origin}/`, options)).body.text(), `${expected} a=b+c&d=%C3%A4`)
    }
  }
  t.equal(await (await fetch('http://svc/', { method: 'POST', body })).text(), `${usual} undefined a=b+c&d=%C3%A4`)
  await t.rejects(request('http://svc/', { body, headers: 'none' as unknown as string[] }), {
    code: 'UND_ERR_INVALID_ARG', message: /headers/
  })
})

t.test('options may be null, and nothing else that is no object', async t => {
  const { request } = await setUp(t)
  const loose = request as (url: string, options?: unknown) => ReturnType<typeof request>
  t.equal(await (await loose('http://svc/', null)).body.text(), 'GET /')
  for (const options of ['text', 5, true, () => {}]) {
    await t.rejects(loose('http://svc/', options), { code: 'UND_ERR_INVALID_ARG', message: 'options must be an object' })
  }
})

t.test('a request is no way to upgrade a connection, as in undici', async t => {
  const { echo, request } = await setUp(t)
  echo.server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'))
  for (const origin of ['http://svc', `http://127.0.0.1:${echo.instance.port}`]) {
    await t.rejects(request(origin, { upgrade: 'x' } as CallRequestOptions), {
      code: 'UND_ERR_INVALID_ARG', message: 'invalid onUpgrade method'
    })
  }
  t.equal((await request('http://svc/', { upgrade: false } as CallRequestOptions)).statusCode, 200)
})

t.test('an ordinary host is undici\'s alone, with the caller\'s dispatcher if there is one', async t => {
  const { echo, request } = await setUp(t)
  const origin = `http://127.0.0.1:${echo.instance.port}`
  t.equal(await (await request(`${origin}/path`)).body.text(), 'GET /path')
  const dispatcher = new MockAgent()
  t.teardown(() => dispatcher.close())
  dispatcher.get(origin).intercept({ path: '/' }).reply(200, 'mocked')
  t.equal(await (await request(origin, { dispatcher })).body.text(), 'mocked')
})

t.test('a dispatcher of the caller\'s own goes first for services too', async t => {
  const { request } = await setUp(t)
  const dispatcher = new MockAgent()
  t.teardown(() => dispatcher.close())
  dispatcher.get('http://svc').intercept({ path: '/' }).reply(200, 'mocked')
  t.equal(await (await request('http://svc/', { dispatcher })).body.text(), 'mocked')
})

t.test('what is no URL, and a balance that is none, are errors', async t => {
  const { request } = await setUp(t)
  for (const url of ['svc', undefined, null]) await t.rejects(request(url as string), { code: 'ERR_INVALID_URL' })
  await t.rejects(request('http://svc/', { balance: { retries: -2 } }), {
    code: 'FST_CONSUL_INVALID_OPTION', message: /^balance\.retries/
  })
})

// lib/calls/balance.ts

const defaults = new Balance({
  strategy: 'round-robin',
  key: undefined,
  tag: undefined,
  datacenter: undefined,
  timeout: 30_000,
  deadline: 0,
  retries: 2,
  endsAt: undefined
})

t.test('what a call does not say is as the options say', async t => {
  t.match(parseBalance({}, defaults), { ...defaults })
  t.match(parseBalance({ strategy: undefined, timeout: undefined }, defaults), { ...defaults })
  const strategy = () => undefined
  const given = { strategy, key: 'k', tag: 't', datacenter: 'dc2', timeout: '1s', deadline: 2500, retries: 0 }
  t.match(parseBalance(given, defaults), { ...given, timeout: 1000 })
  t.match(parseBalance({ timeout: '1us', deadline: 0 }, defaults), { timeout: 1, deadline: 0 })
})

t.test('what cannot be is refused', async t => {
  const durations = '0 for none, or a duration (milliseconds, or a Go duration such as "1m30s")'
  const fields = 'strategy, key, tag, datacenter, timeout, deadline, retries'
  const cases: [options: unknown, message: string][] = [
    [null, 'balance must be a plain object, got null'],
    ['first', "balance must be a plain object, got 'first'"],
    [[], 'balance must be a plain object, got an array'],
    [new Map(), 'balance must be a plain object, got an object (Map)'],
    [{ strategy: 'best' }, 'balance.strategy must be one of round-robin, random, first, least-request, peak-ewma, ' +
      "consistent-hash, or a function, got 'best'"],
    [{ strategy: null }, /got null$/.source],
    [{ key: '' }, "balance.key must be a string that is not empty, got ''"],
    [{ key: 7 }, 'balance.key must be a string that is not empty, got 7'],
    [{ tag: null }, 'balance.tag must be a string that is not empty, got null'],
    [{ datacenter: ['dc1'] }, 'balance.datacenter must be a string that is not empty, got an array'],
    [{ timeout: -1 }, `balance.timeout must be ${durations}, got -1`],
    [{ timeout: '1 minute' }, `balance.timeout must be ${durations}, got '1 minute'`],
    [{ timeout: Infinity }, `balance.timeout must be ${durations}, got Infinity`],
    [{ deadline: NaN }, `balance.deadline must be ${durations}, got NaN`],
    [{ deadline: null }, `balance.deadline must be ${durations}, got null`],
    [{ deadline: () => 1 }, `balance.deadline must be ${durations}, got a function`],
    [{ retries: -1 }, 'balance.retries must be a whole number from 0 to 100, got -1'],
    [{ retries: '2' }, "balance.retries must be a whole number from 0 to 100, got '2'"],
    [{ retries: 101 }, 'balance.retries must be a whole number from 0 to 100, got 101'],
    [{ retries: 1.5 }, 'balance.retries must be a whole number from 0 to 100, got 1.5'],
    [{ retries: NaN }, 'balance.retries must be a whole number from 0 to 100, got NaN'],
    [{ weight: 2 }, `balance.weight must be one of the known options (${fields}), got another name`],
    [{ retrys: 2 }, 'balance.retrys must be a known option (did you mean retries?), got another name'],
    [{ connectTimeout: 2 }, 'balance.connectTimeout must be a known option (did you mean calls.connectTimeout?), ' +
      'got another name'],
    [{ constructor: 2 }, /^balance\.constructor must be one of the known options/.source]
  ]
  for (const [options, message] of cases) {
    t.throws(() => parseBalance(options, defaults),
      { code: 'FST_CONSUL_INVALID_OPTION', message: /^\^|\$$/.test(message) ? new RegExp(message) : message })
  }
})

t.test('a deadline can be made to count from a moment', async t => {
  t.equal(defaults.startingAt(5), defaults)
  t.match(parseBalance({ deadline: 100 }, defaults).startingAt(5), { deadline: 100, endsAt: 105 })
})

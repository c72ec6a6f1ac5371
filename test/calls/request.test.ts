import t from 'tap'
import { MockAgent } from 'undici'
import { tally } from '../balancing/helpers.ts'
import { MemorySource, startCalls, startServer } from './helpers.ts'

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
  await t.rejects(request('svc'), { code: 'ERR_INVALID_URL' })
  await t.rejects(request('http://svc/', { balance: { retries: -2 } }), {
    code: 'FST_CONSUL_INVALID_OPTION', message: /^balance\.retries/
  })
})

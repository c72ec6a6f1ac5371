import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { UnavailableError } from '../../lib/errors.ts'
import { instance, tally } from '../balancing/helpers.ts'
import { freePort } from '../support/ports.ts'
import { startBlackHole } from './black-hole.ts'
import { MemorySource, startCalls, startServer } from './helpers.ts'

const get = { origin: 'http://svc', path: '/', method: 'GET' } as const

async function refusing (id: string) {
  return instance({ id, port: await freePort() })
}

t.test('an instance that refuses connections is skipped, whatever the method', async t => {
  const [b, c] = [await startServer(t, 'b'), await startServer(t, 'c')]
  const source = new MemorySource({ svc: [await refusing('a'), b.instance, c.instance] })
  const { dispatcher } = startCalls(t, source)
  for (const method of ['GET', 'POST', 'PATCH', 'DELETE'] as const) {
    const calls = Array.from({ length: 9 }, async () =>
      await (await dispatcher.request({ ...get, method, ...(method !== 'GET' && { body: 'x' }) })).body.text())
    const counts = tally(await Promise.all(calls))
    t.equal((counts.b ?? 0) + (counts.c ?? 0), 9, method)
  }
  t.equal(b.requests + c.requests, 36, 'none was sent twice')
})

t.test('a body that is a stream arrives whole at the instance that takes it', async t => {
  const echo = await startServer(t, 'echo', (request, response) => { request.pipe(response) })
  const dead = await Promise.all(['1', '2', '3'].map(refusing))
  const source = new MemorySource({ svc: [...dead, echo.instance] })
  const { dispatcher } = startCalls(t, source, { strategy: 'first' })
  async function * generate () {
    yield Buffer.from('one ')
    yield Buffer.from('two')
  }
  const bodies = [Readable.from(generate()), generate() as unknown as Readable]
  for (const body of bodies) {
    const response = await dispatcher.request({ ...get, method: 'POST', body })
    t.equal(await response.body.text(), 'one two')
  }
})

t.test('when nobody can be connected to, the error names the service and has the cause', async t => {
  const source = new MemorySource({ svc: [await refusing('a'), await refusing('b')] })
  const { dispatcher } = startCalls(t, source)
  await t.rejects(dispatcher.request(get), {
    code: 'FST_CONSUL_NO_INSTANCE',
    statusCode: 503,
    message: /^No instance of svc can be called: of 2 tried none could be connected to, connect ECONNREFUSED/,
    cause: { code: 'ECONNREFUSED' }
  })
})

t.test('at most five instances are tried', async t => {
  const living = await startServer(t, 'z')
  const dead = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(refusing))
  const source = new MemorySource({ svc: [...dead, living.instance] })
  const { dispatcher } = startCalls(t, source, { strategy: 'first' })
  await t.rejects(dispatcher.request(get), { code: 'FST_CONSUL_NO_INSTANCE', message: /of 5 tried/ })
  source.set('svc', [...dead.slice(1), living.instance])
  t.equal(await (await dispatcher.request(get)).body.text(), 'z')
})

t.test('an instance that left while another was tried is not tried', async t => {
  const dead = [await refusing('a'), await refusing('b')]
  const living = await startServer(t, 'c')
  const source = new MemorySource({ svc: [...dead, living.instance] })
  const { dispatcher } = startCalls(t, source, { strategy: 'first' })
  const call = dispatcher.request(get)
  source.set('svc', [dead[0]!, living.instance])
  t.equal(await (await call).body.text(), 'c')
})

t.test('a request that no instance would take is not taken around', async t => {
  const [a, b] = [await startServer(t, 'a'), await startServer(t, 'b')]
  const source = new MemorySource({ svc: [a.instance, b.instance] })
  const { dispatcher } = startCalls(t, source)
  await t.rejects(dispatcher.request({ ...get, headers: { 'bad name': 'x' } }), { code: 'UND_ERR_INVALID_ARG' })
  await t.rejects(dispatcher.request({ ...get, method: 'POST', body: 'four', headers: { 'content-length': '5' } }),
    { code: 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH' })
  t.equal(a.requests + b.requests, 0)
})

t.test('without an instance the error says why', async t => {
  const source = new MemorySource({ svc: [instance()] })
  const { request } = startCalls(t, source, { strategy: () => undefined })
  const cases = [
    ['http://none/', {}, 'none is registered and healthy'],
    ['http://v2.svc.service.consul/', {}, 'none with the tag v2 is registered and healthy'],
    ['http://svc.service.dc2.consul/', { tag: 'v3' }, 'none with the tag v3 in the datacenter dc2 is registered and healthy'],
    ['http://svc/', {}, 'the strategy chose none']
  ] as const
  for (const [url, balance, why] of cases) {
    const error = { code: 'FST_CONSUL_NO_INSTANCE', statusCode: 503, message: new RegExp(`: ${why}$`) }
    await t.rejects(request(url, { balance }), error)
  }
})

t.test('what discovery says of its failure is the error', async t => {
  const source = new MemorySource()
  source.hold()
  const { request } = startCalls(t, source)
  const call = t.rejects(request('http://svc/'), { code: 'FST_CONSUL_UNAVAILABLE', message: 'Consul is away. Wait' })
  source.release(new UnavailableError('Consul is away', 'Wait'))
  await call
})

t.test('the first call waits for discovery, with its body untouched', async t => {
  const echo = await startServer(t, 'echo', (request, response) => { request.pipe(response) })
  const source = new MemorySource({ svc: [echo.instance] })
  source.hold()
  const { dispatcher } = startCalls(t, source)
  const call = dispatcher.request({ ...get, method: 'POST', body: Readable.from(['hello']) })
  source.release()
  t.equal(await (await call).body.text(), 'hello')
})

t.test('a body that fails while the call waits is the error, and ends no process', async t => {
  const source = new MemorySource({ svc: [(await startServer(t, 'a')).instance] })
  source.hold()
  const { dispatcher } = startCalls(t, source)
  const body = new Readable({ read () {} })
  const call = t.rejects(dispatcher.request({ ...get, method: 'POST', body }), { message: /^disk on fire$/ })
  body.destroy(new Error('disk on fire'))
  await call
  source.release()
})

t.test('a body that fails between two attempts is the error, and nothing is sent', async t => {
  const fine = await startServer(t, 'b')
  const source = new MemorySource({ svc: [await refusing('a'), fine.instance] })
  const { dispatcher } = startCalls(t, source, { strategy: 'first' })
  const body = new Readable({ read () {} })
  const call = t.rejects(dispatcher.request({ ...get, method: 'POST', body }), { message: /^disk on fire$/ })
  body.destroy(new Error('disk on fire'))
  await call
  t.equal(fine.requests, 0)
})

t.test('a body that fails while the call connects is the error, at once, also at the last instance', async t => {
  const fine = await startServer(t, 'a')
  for (const one of [fine.instance, instance({ port: await startBlackHole(t) })]) {
    const { dispatcher } = startCalls(t, new MemorySource({ svc: [one] }), { connectTimeout: 20_000 })
    const body = new Readable({ read () {} })
    const call = t.rejects(dispatcher.request({ ...get, method: 'POST', body }), { message: /^disk on fire$/ })
    const begun = performance.now()
    body.destroy(new Error('disk on fire'))
    await call
    t.equal(performance.now() - begun < 5000, true)
    t.equal(body.listenerCount('error') <= 1, true, 'none but undici\'s own')
  }
  t.equal(fine.requests, 0)
})

t.test('only the services in calls.allow are called; Consul is not asked for others', async t => {
  const a = await startServer(t, 'a')
  const source = new MemorySource({ svc: [a.instance], other: [a.instance] })
  const { fetch, request } = startCalls(t, source, { allow: ['SVC', 'third'] })
  t.equal(await (await request('http://svc/')).body.text(), 'a')
  source.asked.length = 0
  const refused = { code: 'FST_CONSUL_NOT_ALLOWED', statusCode: 403, message: /service other is not listed/ }
  await t.rejects(request('http://other/'), refused)
  await t.rejects(fetch('http://other/'), refused)
  await t.rejects(fetch('http://svc.other.service.consul/'), refused)
  t.same(source.asked, [])
  const { port } = a.instance
  t.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'a', 'ordinary hosts are nobody\'s business here')
})

t.test('tag and datacenter come from the URL, or from the call', async t => {
  const plain = await startServer(t, 'plain')
  const tagged = await startServer(t, 'tagged', undefined, { tags: ['v2'] })
  const far = await startServer(t, 'far', undefined, { tags: ['v2'], datacenter: 'dc2' })
  const source = new MemorySource({ svc: [plain.instance, tagged.instance, far.instance] })
  const { request } = startCalls(t, source, { strategy: 'first' })
  const cases = [
    ['http://v2.svc.service.dc1.consul/', {}, 'tagged'],
    ['http://v2.svc.service.dc2.consul/', {}, 'far'],
    ['http://svc/', { tag: 'v2', datacenter: 'dc2' }, 'far'],
    ['http://svc.service.dc2.consul/', { datacenter: 'dc1' }, 'plain'],
    ['http://v9.svc.service.consul/', { tag: 'v2', datacenter: 'dc1' }, 'tagged']
  ] as const
  for (const [url, balance, expected] of cases) {
    t.equal(await (await request(url, { balance })).body.text(), expected, url)
  }
})

t.test('Host is the service\'s name, or the caller\'s own', async t => {
  const echo = await startServer(t, 'echo', (request, response) => response.end(request.headers.host))
  const { request } = startCalls(t, new MemorySource({ svc: [echo.instance] }))
  const hostOf = async (url: string, headers = {}) => await text((await request(url, { headers })).body)
  t.equal(await hostOf('http://svc/'), 'svc')
  t.equal(await hostOf('http://svc.service.consul/'), 'svc.service.consul')
  t.equal(await hostOf('http://svc/', { host: 'example.com' }), 'example.com')
})

t.test('an IPv6 instance is called', async t => {
  const server = await startServer(t, 'six', undefined, { host: '::1' })
  const { request } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  t.equal(await (await request('http://svc/')).body.text(), 'six')
})

t.test('an instance in warning gets its share of the calls', async t => {
  const [a, b] = [await startServer(t, 'a'), await startServer(t, 'b', undefined, { status: 'warning' })]
  const { request } = startCalls(t, new MemorySource({ svc: [a.instance, b.instance] }))
  const bodies = []
  for (let call = 0; call < 110; call++) bodies.push(await (await request('http://svc/')).body.text())
  t.same(tally(bodies), { a: 100, b: 10 })
})

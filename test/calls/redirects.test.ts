import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { interceptors } from 'undici'
import { MemorySource, startCalls, startServer } from './helpers.ts'

t.test('a redirect between services is followed, within calls.allow', async t => {
  const target = await startServer(t, 'target')
  const source = new MemorySource({ target: [target.instance] })
  const first = await startServer(t, 'first', ({ url }, response) => {
    response.writeHead(302, { location: url === '/out' ? `http://127.0.0.1:${target.instance.port}/` : 'http://target/' })
    response.end()
  })
  source.set('svc', [first.instance])
  const { fetch } = startCalls(t, source)
  t.equal(await (await fetch('http://svc/')).text(), 'target')
  t.equal(await (await fetch('http://svc/out')).text(), 'target')
  const narrow = startCalls(t, source, { allow: ['svc'] })
  await t.rejects(narrow.fetch('http://svc/'), { code: 'FST_CONSUL_NOT_ALLOWED' })
  t.equal(await (await narrow.fetch('http://svc/out')).text(), 'target')
})

t.test('a redirect from an ordinary host to a service name does not reach the service', async t => {
  const secret = await startServer(t, 'secret')
  const source = new MemorySource({ secret: [secret.instance], 'secret.example': [secret.instance] })
  const outside = createServer((_, response) => response.writeHead(302, { location: 'http://secret/' }).end())
  outside.listen(0, '127.0.0.1')
  await once(outside, 'listening')
  t.teardown(() => outside.close())
  const { fetch } = startCalls(t, source)
  const { port } = outside.address() as AddressInfo
  await t.rejects(fetch(`http://127.0.0.1:${port}/`), { message: 'fetch failed' })
  const request = new globalThis.Request(`http://127.0.0.1:${port}/`)
  await t.rejects(fetch(request), { message: 'fetch failed' })
  t.equal(secret.requests, 0)
  t.same(source.asked, [])
})

t.test('nor does it with a dispatcher of the caller\'s own that has ours behind it', async t => {
  const secret = await startServer(t, 'secret')
  const outside = await startServer(t, 'outside', (_, response) => {
    response.writeHead(302, { location: 'http://secret/' }).end()
  })
  const { fetch, request, dispatcher } = startCalls(t, new MemorySource({ secret: [secret.instance] }))
  const url = `http://127.0.0.1:${outside.instance.port}/`
  const following = dispatcher.compose(interceptors.redirect({ maxRedirections: 1 }))
  await t.rejects(fetch(url, { dispatcher }), { message: 'fetch failed' })
  await t.rejects(fetch(url, { dispatcher: following }), { message: 'fetch failed' })
  await t.rejects(request(url, { dispatcher: following }), { code: /ENOTFOUND|EAI_AGAIN/ })
  t.equal(outside.requests, 3)
  t.equal(secret.requests, 0)
})

t.test('tag and key stay with the service they were meant for when a call is redirected', async t => {
  const target = await startServer(t, 'target')
  const first = await startServer(t, 'first', ({ url }, response) => {
    response.writeHead(302, { location: url === '/' ? '/again' : 'http://target/' }).end()
  }, { tags: ['v2'] })
  const source = new MemorySource({ target: [target.instance], svc: [first.instance] })
  const { fetch } = startCalls(t, source)
  t.equal(await (await fetch('http://svc/', { balance: { tag: 'v2' } })).text(), 'target')
  const asked = source.asked.map(({ name, query }) => [name, query?.tag])
  t.same(asked, [['svc', 'v2'], ['svc', 'v2'], ['target', undefined]])
})

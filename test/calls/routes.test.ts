import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { interceptors } from 'undici'
import { Balancer } from '../../lib/balancing/balancer.ts'
import { Balance } from '../../lib/calls/balance.ts'
import { plainOriginOf } from '../../lib/calls/plain-origin.ts'
import { Routes } from '../../lib/calls/routes.ts'
import { targetOf } from '../../lib/calls/target.ts'
import { instance, seeded } from '../balancing/helpers.ts'
import { heapUsed } from '../support/garbage.ts'
import { MemorySource, startCalls, startServer } from './helpers.ts'

// lib/calls/target.ts

const services: readonly [url: string, service: string, tag?: string | undefined, datacenter?: string][] = [
  ['http://l02-runtime/', 'l02-runtime'],
  ['https://l02-runtime/path?query#hash', 'l02-runtime'],
  ['http://l02-runtime:80/', 'l02-runtime'],
  ['https://l02-runtime:443/', 'l02-runtime'],
  ['http://L02-Runtime/', 'l02-runtime'],
  ['http://l02_runtime/', 'l02_runtime'],
  ['http://user:secret@l02-runtime/', 'l02-runtime'],
  ['http://bücher/', 'bücher'],
  ['http://consul/', 'consul'],
  ['http://l02-runtime.service.consul/', 'l02-runtime'],
  ['http://l02-runtime.service.consul:80/', 'l02-runtime'],
  ['http://l02-runtime.service.consul./', 'l02-runtime'],
  ['http://L02-Runtime.Service.Consul/', 'l02-runtime'],
  ['http://v2.l02-runtime.service.consul/', 'l02-runtime', 'v2'],
  ['http://v2.1.l02-runtime.service.consul/', 'l02-runtime', 'v2.1'],
  ['http://l02-runtime.service.dc2.consul/', 'l02-runtime', undefined, 'dc2'],
  ['https://v2.l02-runtime.service.dc2.consul./', 'l02-runtime', 'v2', 'dc2'],
  ['http://bücher.service.consul/', 'bücher'],
  ['http://service.service.consul/', 'service'],
  ['http://localhost.service.consul/', 'localhost']
]

const hosts = [
  'http://localhost/',
  'http://LOCALHOST/',
  'http://localhost./',
  'http://app.localhost/',
  'http://127.0.0.1/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://l02-runtime:8080/',
  'http://l02-runtime:443/',
  'https://l02-runtime:80/',
  'http://l02-runtime.service.consul:8500/',
  'http://l02-runtime./',
  'http://example.com/',
  'http://l02-runtime.default.svc.cluster.local/',
  'http://service.consul/',
  'http://service.dc2.consul/',
  'http://node1.node.consul/',
  'http://l02-runtime.query.consul/',
  'http://l02-runtime.service.dc2.dc.consul/',
  'http://l02-runtime.service.consul.example.com/',
  'http://.service.consul/',
  'http://a..l02-runtime.service.consul/',
  'http://./',
  'data:text/plain,l02-runtime',
  'ftp://l02-runtime/',
  'unix://l02-runtime/'
]

t.test('a host without a dot, or in Consul\'s DNS form, is a service', async t => {
  for (const [url, service, tag, datacenter] of services) {
    t.same(targetOf(new URL(url)), { service, tag, datacenter }, url)
  }
})

t.test('every other URL is an ordinary host\'s', async t => {
  for (const url of hosts) t.equal(targetOf(new URL(url)), undefined, url)
})

// lib/calls/routes.ts

function makeBalancer (): Balancer {
  return new Balancer({ warningShare: 0.1, random: seeded(1), onGone () {} })
}

function routes (allow?: readonly string[]): Routes {
  return new Routes(makeBalancer(), allow)
}

const plain = new Balance({
  strategy: 'round-robin',
  key: undefined,
  tag: undefined,
  datacenter: undefined,
  timeout: 0,
  deadline: 0,
  retries: 0,
  endsAt: undefined
})

t.test('an origin is looked at once', async t => {
  const known = routes()
  t.equal(known.find('http://svc'), known.find('http://svc'))
  t.equal(known.find('http://svc')?.service, 'svc')
  t.equal(known.find('http://example.com'), undefined)
  t.equal(known.find('http://example.com'), undefined)
  t.throws(() => known.find('svc'), { code: 'ERR_INVALID_URL' })
})

t.test('a URL without an origin is nobody\'s', async t => {
  t.equal(routes().findFor(new URL('data:text/plain,svc')), undefined)
  t.equal(routes().findFor(new URL('http://svc/path'))?.service, 'svc')
})

t.test('of very many origins those that are not called are forgotten', async t => {
  const known = routes()
  const [called, never] = [known.find('http://called'), known.find('http://never')]
  for (let junk = 0; junk < 3000; junk++) {
    known.find(`http://junk${junk}`)
    if (junk % 100 === 0) t.equal(known.find('http://called'), called)
  }
  t.not(known.find('http://never'), never)
})

t.test('what is kept of a URL is its origin', async t => {
  const known = routes()
  const long = 'x'.repeat(1e6)
  const callEach = (name: string, query: string): void => {
    for (let call = 0; call < 40; call++) known.find(plainOriginOf(`http://${name}-${call}/?${query}${call}`) ?? '')
  }
  callEach('known', '')
  const before = heapUsed()
  callEach('unknown', long)
  t.equal(heapUsed() - before < 20e6, true, 'of one that is new')
  for (let junk = 0; junk < 1000; junk++) known.find(`http://junk${junk}`)
  callEach('known', long)
  t.equal(heapUsed() - before < 20e6, true, 'of one that was called before')
})

t.test('however many tags are asked for, all calls to a service that is called share one group', async t => {
  const balancer = makeBalancer()
  const route = new Routes(balancer, undefined).find('http://svc')!
  const group = route.scopeOf(plain).group
  for (let tag = 0; tag < 5000; tag++) {
    balancer.group('svc', `tag${tag}`)
    if (tag % 100 === 0) t.equal(route.scopeOf(plain).group, group)
  }
  t.equal(balancer.group('svc'), group)
})

t.test('an instance is called with TLS if the URL or the instance wants it', async t => {
  const cases = [
    ['http://svc', 'http', 'http://svc'],
    ['http://svc', 'https', 'https://svc'],
    ['https://svc', 'http', 'https://svc'],
    ['https://v2.svc.service.consul', 'https', 'https://v2.svc.service.consul']
  ] as const
  for (const [origin, scheme, expected] of cases) {
    t.equal(routes().find(origin)?.originFor(instance({ scheme })), expected)
  }
})

t.test('without a list every service is allowed, with an empty one none', async t => {
  t.equal(routes().find('http://svc')?.allowed, true)
  t.equal(routes(['SVC']).find('http://svc')?.allowed, true)
  t.equal(routes(['other']).find('http://svc')?.allowed, false)
  t.equal(routes([]).find('http://svc')?.allowed, false)
})

// Redirects

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
  await t.rejects(request(url, { dispatcher: following }), { code: /ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT/ })
  t.equal(outside.requests, 3)
  t.equal(secret.requests, 0)
})

t.test('a tag stays with the service it was meant for when a call is redirected; the key goes along', async t => {
  const target = await startServer(t, 'target')
  const first = await startServer(t, 'first', ({ url }, response) => {
    response.writeHead(302, { location: url === '/' ? '/again' : 'http://target/' }).end()
  }, { tags: ['v2'] })
  const source = new MemorySource({ target: [target.instance], svc: [first.instance] })
  const { fetch } = startCalls(t, source)
  t.equal(await (await fetch('http://svc/', { balance: { tag: 'v2' } })).text(), 'target')
  const asked = source.asked.map(({ name, query }) => [name, query?.tag])
  t.same(asked, [['svc', 'v2'], ['svc', 'v2'], ['target', undefined]])
  const balance = { strategy: 'consistent-hash', key: 'k' } as const
  t.equal(await (await fetch('http://svc/', { balance })).text(), 'target')
})

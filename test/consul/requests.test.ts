import { writeFile } from 'node:fs/promises'
import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { clientOf, failureOf } from './helpers.ts'

/** What goes over the wire, seen at a proxy in front of a real agent. */

const consul = await startConsul(t)
const proxy = await startCountingProxy(t, consul.url)

function last () {
  const request = proxy.requests.at(-1)
  if (request === undefined) throw new Error('no request')
  const { pathname: path, searchParams } = new URL(request.url, proxy.url)
  return { ...request, path, query: Object.fromEntries(searchParams) }
}

t.test('writes are JSON and say so', async t => {
  const client = clientOf(t, { url: proxy.url })
  const json = { 'content-type': 'application/json' }
  await client.registerService({ name: 'web', check: { checkId: 'c', ttl: '1m' } })
  t.match(last(), { method: 'PUT', url: '/v1/agent/service/register', headers: json })
  await client.setMaintenance('web', true, 'a b&c=d')
  t.match(last(), {
    method: 'PUT',
    path: '/v1/agent/service/maintenance/web',
    query: { enable: 'true', reason: 'a b&c=d' },
    headers: json
  })
  await client.setMaintenance('web', false)
  t.match(last(), { url: '/v1/agent/service/maintenance/web?enable=false', headers: json })
  await client.updateCheck('c', 'passing', '')
  t.match(last(), { method: 'PUT', url: '/v1/agent/check/update/c', headers: json })
  await client.deregisterCheck('c')
  t.match(last(), { method: 'PUT', url: '/v1/agent/check/deregister/c', headers: json })
  await client.deregisterService('web')
  t.match(last(), { method: 'PUT', url: '/v1/agent/service/deregister/web', headers: json })
})

t.test('a read has no body and asks for JSON', async t => {
  const client = clientOf(t, { url: proxy.url })
  await client.leader()
  t.match(last(), { method: 'GET', url: '/v1/status/leader', headers: { accept: 'application/json' } })
  t.notOk('content-type' in last().headers)
})

t.test('every parameter of a health query has Consul\'s name', async t => {
  const client = clientOf(t, { url: proxy.url })
  await client.health('a/b c', {
    index: '1',
    wait: 50,
    tag: 'x&y',
    filter: 'Service.Port == 1',
    near: '_agent',
    datacenter: 'dc1',
    passing: true,
    consistency: 'stale'
  })
  t.equal(last().path, '/v1/health/service/a%2Fb%20c')
  t.same(last().query, {
    index: '1',
    wait: '50ms',
    tag: 'x&y',
    filter: 'Service.Port == 1',
    near: '_agent',
    dc: 'dc1',
    passing: '',
    stale: ''
  })
  await client.health('a', { index: '2', wait: '1ms', consistency: 'consistent', passing: false })
  t.same(last().query, { index: '2', wait: '1ms', consistent: '' })
})

t.test('without an index nothing waits: neither wait nor index is sent', async t => {
  await clientOf(t, { url: proxy.url }).health('a', { wait: '1m' })
  t.same(last().query, {})
})

t.test('an index goes out as the digits that came in, beyond what a number can hold', async t => {
  const client = clientOf(t, { url: proxy.url })
  const index = '18446744073709551615'
  proxy.answer = () => ({ status: 200, headers: { 'x-consul-index': index }, body: '[]' })
  t.teardown(() => { proxy.answer = () => undefined })
  const answer = await client.health('a')
  t.equal(answer.index, index)
  await client.health('a', { index: answer.index })
  t.equal(last().query['index'], index)
})

t.test('the client\'s datacenter is that of every read which names none', async t => {
  const client = clientOf(t, { url: proxy.url, datacenter: 'dc1' })
  await client.health('a')
  t.same(last().query, { dc: 'dc1' })
  await client.listServices()
  t.same(last().query, { dc: 'dc1' })
  await failureOf(client.health('a', { datacenter: 'dc2' }))
  t.same(last().query, { dc: 'dc2' })
})

t.test('namespace and partition go out with every request, also where this Consul knows none', async t => {
  const client = clientOf(t, { url: proxy.url, namespace: 'team a', partition: 'p1' })
  const error = await failureOf(client.health('a'))
  t.match(error, { code: 'FST_CONSUL_API_STATUS', message: /Namespaces are a Consul Enterprise feature/ })
  t.same(last().query, { ns: 'team a', partition: 'p1' })
  await failureOf(client.registerService({ name: 'a' }))
  t.same(last().query, { ns: 'team a', partition: 'p1' })
  await failureOf(client.health('a', { namespace: 'team b', partition: 'p2' }))
  t.same(last().query, { ns: 'team b', partition: 'p2' }, 'unless a read names others')
})

t.test('the token is in a header and in no URL', async t => {
  const client = clientOf(t, { url: proxy.url, token: 'very-secret' })
  const from = proxy.requests.length
  await Promise.allSettled([
    client.registerService({ name: 'a' }),
    client.health('a'),
    client.agentService('a', { hash: 'x', wait: '1ms' }),
    client.listServices(),
    client.agentChecks('a')
  ])
  const requests = proxy.requests.slice(from)
  t.equal(requests.length, 5)
  for (const { headers, url } of requests) {
    t.equal(headers['x-consul-token'], 'very-secret')
    t.notMatch(url, /very-secret|token/)
  }
})

t.test('without a token there is no such header', async t => {
  await clientOf(t, { url: proxy.url }).leader()
  t.notOk('x-consul-token' in last().headers)
  await clientOf(t, { url: proxy.url, token: () => '' }).leader()
  t.notOk('x-consul-token' in last().headers)
})

t.test('a function gives the token of each request anew', async t => {
  let count = 0
  const client = clientOf(t, { url: proxy.url, token: async () => `token-${++count}` })
  await client.leader()
  t.equal(last().headers['x-consul-token'], 'token-1')
  await client.leader()
  t.equal(last().headers['x-consul-token'], 'token-2')
})

t.test('a token file is read for each request, without the line end', async t => {
  const file = `${t.testdir({ token: 'one\n' })}/token`
  const client = clientOf(t, { url: proxy.url, tokenFile: file })
  await client.leader()
  t.equal(last().headers['x-consul-token'], 'one')
  await writeFile(file, 'two\n')
  await client.leader()
  t.equal(last().headers['x-consul-token'], 'two')
})

t.test('user and password of the URL become basic authentication', async t => {
  await clientOf(t, { url: proxy.url.replace('//', '//ann:s%3Acret@') }).leader()
  t.equal(last().headers.authorization, `Basic ${Buffer.from('ann:s:cret').toString('base64')}`)
  t.equal(last().url, '/v1/status/leader')
})

t.test('a base path stands before every path', async t => {
  proxy.answer = () => ({ status: 200, body: '"leader"' })
  t.teardown(() => { proxy.answer = () => undefined })
  for (const path of ['/consul', '/consul/']) {
    t.equal(await clientOf(t, { url: proxy.url + path }).leader(), 'leader')
    t.equal(last().url, '/consul/v1/status/leader')
  }
})

import { randomUUID } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import t from 'tap'
import type { ConsulClient } from '../../lib/consul/client.ts'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { clientOf, failureOf } from './helpers.ts'

/** A real agent that denies by default. */

const consul = await startConsul(t, { acl: true })

async function tokenFor (rules: string): Promise<{ token: string, accessor: string }> {
  const name = randomUUID()
  await consul.api('PUT', '/v1/acl/policy', { Name: name, Rules: rules })
  const { json } = await consul.api<{ SecretID: string, AccessorID: string }>(
    'PUT', '/v1/acl/token', { Policies: [{ Name: name }] })
  return { token: json.SecretID, accessor: json.AccessorID }
}

t.test('an unknown token is refused in Consul\'s words, and stays out of them', async t => {
  const token = '11111111-2222-3333-4444-555555555555'
  const error = await failureOf(clientOf(t, { url: consul.url, token }).health('web'))
  t.match(error, {
    code: 'FST_CONSUL_API_FORBIDDEN',
    message: 'Consul forbids GET /v1/health/service/web (403): ACL not found'
  })
  t.notOk(JSON.stringify([error.message, error.stack, error]).includes(token))
})

t.test('a token without the right to register is refused', async t => {
  const { token } = await tokenFor('service_prefix "" { policy = "read" }')
  const client = clientOf(t, { url: consul.url, token })
  t.match(await failureOf(client.registerService({ name: 'web' })), {
    code: 'FST_CONSUL_API_FORBIDDEN', message: /^Consul forbids PUT .*\(403\): Permission denied/
  })
})

t.test('a token with its rights registers, is found and leaves', async t => {
  const { token } = await tokenFor('service "mine" { policy = "write" } node_prefix "" { policy = "read" }')
  const client = clientOf(t, { url: consul.url, token })
  await client.registerService({ name: 'mine', port: 1 })
  t.match(await client.discoverService('mine'), [{ id: 'mine', port: 1 }])
  await client.deregisterService('mine')
  t.same(await client.discoverService('mine'), [])
})

t.test('without a token one sees nothing, and is not told so', async t => {
  const admin = clientOf(t, { url: consul.url, token: consul.token! })
  await admin.registerService({ name: 'hidden' })
  t.equal((await admin.discoverService('hidden')).length, 1)
  t.same(await clientOf(t, { url: consul.url }).discoverService('hidden'), [])
})

t.test('a token that is revoked while a query waits ends with the next query', async t => {
  const { token, accessor } = await tokenFor('service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }')
  const client = clientOf(t, { url: consul.url, token })
  const { index } = await client.health('hidden')
  await consul.api('DELETE', `/v1/acl/token/${accessor}`)
  await t.rejects(client.health('hidden', { index, wait: '1s' }), { code: 'FST_CONSUL_API_FORBIDDEN' })
})

t.test('a 403 asks for the token again, and another one is sent: reads, writes and queries that wait', async t => {
  const rules = 'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" }'
  const proxy = await startCountingProxy(t, consul.url)
  const rotated = async (call: (client: ConsulClient) => Promise<unknown>): Promise<void> => {
    const [before, after] = [await tokenFor(rules), await tokenFor(rules)]
    const tokens = [before.token, before.token, after.token]
    const client = clientOf(t, { url: proxy.url, token: () => tokens.shift() ?? after.token })
    await client.health('hidden')
    await consul.api('DELETE', `/v1/acl/token/${before.accessor}`)
    const asked = proxy.requests.length
    await call(client)
    t.same(proxy.requests.slice(asked).map(({ headers }) => headers['x-consul-token']), [before.token, after.token])
  }
  await rotated(client => client.health('hidden'))
  await rotated(client => client.registerService({ name: 'rotated' }))
  await rotated(client => client.health('hidden', { index: '1', wait: '1s' }))
  await rotated(client => client.deregisterService('rotated'))
})

t.test('a 403 that no other token helps is told after one more look at the token, and one request', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const token = '11111111-2222-3333-4444-555555555555'
  let looks = 0
  const same = clientOf(t, {
    url: proxy.url,
    token: () => {
      looks++
      return token
    }
  })
  await t.rejects(same.health('hidden'), { code: 'FST_CONSUL_API_FORBIDDEN' })
  t.same([looks, proxy.requests.length], [2, 1])

  let count = 0
  const other = clientOf(t, { url: proxy.url, token: () => `${token.slice(0, -1)}${count++}` })
  await t.rejects(other.registerService({ name: 'no' }), { code: 'FST_CONSUL_API_FORBIDDEN' })
  t.same([count, proxy.requests.length], [2, 3], 'of two wrong ones each is sent once')

  let isSealed = false
  const sealed = clientOf(t, {
    url: proxy.url,
    token: () => {
      if (isSealed) throw new Error('sealed')
      isSealed = true
      return token
    }
  })
  await t.rejects(sealed.health('hidden'), { code: 'FST_CONSUL_API_FORBIDDEN' }, 'what Consul said')
})

t.test('a token file that was rotated serves the next request, and the one that is refused', async t => {
  const rules = 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }'
  const [first, second, third] = [await tokenFor(rules), await tokenFor(rules), await tokenFor(rules)]
  const folder = t.testdir({ token: `${first.token}\n` })
  const proxy = await startCountingProxy(t, consul.url)
  const client = clientOf(t, { url: proxy.url, tokenFile: `${folder}/token` })
  const last = () => proxy.requests.at(-1)!.headers['x-consul-token']
  t.equal((await client.discoverService('hidden')).length, 1)
  t.equal(last(), first.token)

  await writeFile(`${folder}/next`, second.token)
  await rename(`${folder}/next`, `${folder}/token`)
  t.equal((await client.discoverService('hidden')).length, 1)
  t.equal(last(), second.token)

  // The file is changed between the request and its answer.
  proxy.answer = async ({ headers }) => {
    if (headers['x-consul-token'] !== second.token) return undefined
    await writeFile(`${folder}/token`, third.token)
    return { status: 403, body: 'ACL not found' }
  }
  t.equal((await client.discoverService('hidden')).length, 1)
  t.equal(last(), third.token)
})

t.test('which rights a token has can be asked for', async t => {
  const { token } = await tokenFor('service "mine" { policy = "write" } node_prefix "" { policy = "read" }')
  const client = clientOf(t, { url: consul.url, token })
  t.same(await client.authorize([
    { resource: 'service', access: 'write', name: 'mine' },
    { resource: 'service', access: 'read', name: '' },
    { resource: 'node', access: 'read', name: '' },
    { resource: 'agent', access: 'read', name: 'any' }
  ]), [true, false, true, false])
  const nodes = Array.from({ length: 150 }, (_, i) => ({ resource: 'node', access: 'read', name: `n${i}` } as const))
  const many = await client.authorize([...nodes, { resource: 'agent', access: 'read', name: 'any' }])
  t.same([many.length, many.indexOf(false)], [151, 150], 'more of them than Consul takes at once, in their order')
  const open = await startConsul(t)
  await t.rejects(clientOf(t, { url: open.url }).authorize([{ resource: 'node', access: 'read', name: '' }]),
    { code: 'FST_CONSUL_API_STATUS', message: /401.*ACL support disabled/ })
})

import { randomUUID } from 'node:crypto'
import t from 'tap'
import { startConsul } from '../support/consul.ts'
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

import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { startConsul } from './consul.ts'

t.test('an agent restarted in dev mode is empty', async t => {
  const consul = await startConsul(t)
  await consul.api('PUT', '/v1/agent/service/register', { Name: 'a' })
  const before = await consul.api<Record<string, unknown>>('GET', '/v1/agent/services')
  t.match(before.json, { a: Object })
  await consul.kill()
  await t.rejects(consul.api('GET', '/v1/agent/self'))
  await consul.start()
  const after = await consul.api<Record<string, unknown>>('GET', '/v1/agent/services')
  t.strictSame(after.json, {})
})

t.test('an agent with a data folder keeps its services', async t => {
  const consul = await startConsul(t, { persist: true })
  await consul.api('PUT', '/v1/agent/service/register', { Name: 'a' })
  await consul.stop()
  await consul.start()
  const { json } = await consul.api<Record<string, unknown>>('GET', '/v1/agent/services')
  t.match(json, { a: Object })
})

t.test('with access control only the token sees anything', async t => {
  const consul = await startConsul(t, { acl: true })
  t.equal((await consul.api('GET', '/v1/agent/self')).status, 200)
  t.equal((await fetch(`${consul.url}/v1/agent/self`)).status, 403)
})

t.test('a suspended agent answers when it is resumed', async t => {
  const consul = await startConsul(t)
  await consul.suspend()
  const answer = consul.api('GET', '/v1/agent/self')
  const first = await Promise.race([answer.then(() => 'answer'), delay(100, 'nothing')])
  t.equal(first, 'nothing')
  consul.resume()
  t.equal((await answer).status, 200)
})

t.test('an agent with an impossible configuration says why it ended', async t => {
  await t.rejects(startConsul(t, { config: { no_such_key: true } }), { message: /no_such_key/ })
})

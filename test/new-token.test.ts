import { rename, writeFile } from 'node:fs/promises'
import t from 'tap'
import { issueToken, setPolicy } from './lifecycle/acl.ts'
import { listeningApp, type TestApp } from './lifecycle/app.ts'
import { registered } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { startCountingProxy } from './support/counting-proxy.ts'
import type { Teardown } from './support/teardown.ts'
import { until } from './support/wait.ts'

/** The agent tells the catalog of a service with the token that the service was registered with. */

const consul = await startConsul(t, { acl: true })
await setPolicy(consul, 'service', 'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" }')

interface Service extends TestApp {
  /** The tokens that its registrations carried. */
  tokens: () => unknown[]
  /** From now on it is critical. */
  sicken: () => void
}

async function serviceWith (
  t: Teardown, name: string, token: { tokenFile: string } | { token: () => string }
): Promise<Service> {
  const proxy = await startCountingProxy(t, consul.url)
  let isWell = true
  const run = () => { if (!isWell) throw new Error('ill') }
  const service = await listeningApp(t, {
    url: proxy.url,
    ...token,
    service: { name },
    check: { type: 'ttl', interval: '1s' },
    discovery: { wait: '1s' },
    health: { cacheFor: 0, checks: [{ name: 'well', run }] }
  })
  await registered(consul, name, 'passing')
  await until(() => service.app.consul.registration.state === 'registered')
  const writes = () => proxy.requests.filter(({ url }) => url.startsWith('/v1/agent/service/register'))
  return {
    ...service,
    tokens: () => writes().map(({ headers }) => headers['x-consul-token']),
    sicken: () => { isWell = false }
  }
}

t.test('a token file that is rotated is seen within seconds, and the agent gets the new token', async t => {
  const [before, after] = [await issueToken(consul, 'service'), await issueToken(consul, 'service')]
  const folder = t.testdir({ token: before.token })
  const { tokens, sicken } = await serviceWith(t, 'by-file', { tokenFile: `${folder}/token` })
  t.same(tokens(), [before.token])
  await writeFile(`${folder}/next`, after.token)
  await rename(`${folder}/next`, `${folder}/token`)
  await until(() => tokens().length > 1)
  t.same(tokens(), [before.token, after.token])

  await before.revoke()
  sicken()
  await registered(consul, 'by-file', 'critical')
})

t.test('what a function gives is seen with its next request', async t => {
  const [before, after] = [await issueToken(consul, 'service'), await issueToken(consul, 'service')]
  let { token } = before
  const { tokens, sicken } = await serviceWith(t, 'by-function', { token: () => token })
  token = after.token
  await until(() => tokens().length > 1)
  t.same(tokens(), [before.token, after.token])

  await before.revoke()
  sicken()
  await registered(consul, 'by-function', 'critical')
})

t.test('revoked first and rotated then, nothing is lost', async t => {
  const [before, after] = [await issueToken(consul, 'service'), await issueToken(consul, 'service')]
  let { token } = before
  const { app, tokens, sicken } = await serviceWith(t, 'revoked', { token: () => token })
  await before.revoke()
  await until(async () => {
    const error = await app.consul.client.agentService('any').then(() => undefined, error => error)
    return error?.code === 'FST_CONSUL_API_FORBIDDEN'
  })
  token = after.token
  await until(() => tokens().at(-1) === after.token, { timeout: 20_000 })
  t.equal((await app.discover('revoked')).length, 1)
  sicken()
  await registered(consul, 'revoked', 'critical')
})

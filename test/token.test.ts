import { PassThrough } from 'node:stream'
import { inspect } from 'node:util'
import Fastify from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import { fastifyConsul, type ConsulOptions } from '../lib/index.ts'
import { issueToken, setPolicy } from './lifecycle/acl.ts'
import { entriesOf, registered } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { until } from './support/wait.ts'

const consul = await startConsul(t, { acl: true })
const rules = 'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" }'

/** Everything that anyone could print of a value. */
function shown (value: unknown): string {
  const seen = value instanceof Error ? [value.message, value.stack, String(value), shown(value.cause)] : []
  let json = ''
  try {
    json = JSON.stringify(value) ?? ''
  } catch {} // Some are circular.
  return [...seen, json, inspect(value, { depth: Infinity, showHidden: true })].join('\n')
}

function sourceOf (kind: 'value' | 'function' | 'file', token: string, folder: string): ConsulOptions {
  switch (kind) {
    case 'value': return { token }
    case 'function': return { token: () => token }
    case 'file': return { tokenFile: `${folder}/token` }
  }
}

for (const kind of ['value', 'function', 'file'] as const) {
  t.test(`over a whole life the token (${kind}) stands in no log line, no error, no status`, async t => {
    await setPolicy(consul, 'service', rules)
    const { token, revoke } = await issueToken(consul, 'service')
    const stream = new PassThrough()
    let log = ''
    stream.on('data', chunk => { log += String(chunk) })
    const app = Fastify({ loggerInstance: pino({ level: 'trace' }, stream) })
    t.teardown(() => app.close())
    const name = `secret-${kind}`
    await app.register(fastifyConsul, {
      url: consul.url,
      ...sourceOf(kind, token, t.testdir({ token })),
      service: { name },
      discovery: { wait: '1s' },
      health: { cacheFor: 0 }
    })
    app.get('/', async () => 'hello')
    const things: unknown[] = [app.consul, app.consul.client]

    await app.listen({ port: 0, host: '127.0.0.1' })
    await registered(consul, name, 'passing')
    await until(() => app.consul.registration.state === 'registered')
    things.push(await app.discover(name), await (await app.fetch(`http://${name}/`)).text())
    things.push(app.consul.explain(name), app.consul.registration, await app.consul.listServices())

    await revoke()
    const { id } = app.consul.registration
    await until(async () => {
      const error = await app.consul.client.agentService(id ?? '').then(() => undefined, error => error)
      return error?.code === 'FST_CONSUL_API_FORBIDDEN'
    }, { timeout: 35_000 })
    const failures = await Promise.allSettled([
      app.discover('something-else'),
      app.consul.listServices(),
      app.consul.maintenance(true),
      app.consul.client.deregisterService(id ?? ''),
      app.consul.client.agentService(id ?? '')
    ])
    t.same(failures.map(({ status }) => status), failures.map(() => 'rejected'))
    things.push(...failures.map(failure => failure.status === 'rejected' && failure.reason))
    await until(() => app.consul.explain(name).error, { timeout: 15_000 })
    things.push(app.consul.explain(name), app.consul.registration)
    await app.close()
    things.push(app.consul.registration)
    t.equal((await entriesOf(consul, name)).length, 1, 'it could not be deregistered')

    t.match(log, 'Not deregistered')
    for (const text of [log, ...things.map(shown)]) t.notOk(text.includes(token), text.slice(0, 60))
  })
}

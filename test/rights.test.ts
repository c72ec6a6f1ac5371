import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import t from 'tap'
import { createServiceRegistry } from '../lib/index.ts'
import { blocksOf } from './docs/blocks.ts'
import { collectingLogger, type Line } from './health/collecting-logger.ts'
import { issueToken, setPolicy } from './lifecycle/acl.ts'
import { listeningApp, messages, testApp, type TestApp } from './lifecycle/app.ts'
import { agentService, checksOf, gone, registered } from './lifecycle/catalog.ts'
import { createConsul, startConsul } from './support/consul.ts'
import { startCountingProxy } from './support/counting-proxy.ts'
import { pageAt } from './support/pages.ts'
import type { Teardown } from './support/teardown.ts'
import { until } from './support/wait.ts'

const consul = await startConsul(t, { acl: true })

const path = '/v1/internal/acl/authorize'
const write = 'service "web" { policy = "write" }'
const services = 'service_prefix "" { policy = "read" }'
const nodes = 'node_prefix "" { policy = "read" }'

async function tokenFor (rules: string): Promise<string> {
  const name = randomUUID()
  await setPolicy(consul, name, rules)
  return (await issueToken(consul, name)).token
}

function aboutRights (lines: readonly Line[]): Line[] {
  return lines.filter(({ message }) => message?.startsWith('The ACL token lacks'))
}

const rows: readonly (readonly [what: string, rules: string, missing: string, add: string])[] = [
  ['service:write', `${services} ${nodes}`, 'service:write on web', write],
  ['service:read', `${write} ${nodes}`, 'service:read', services],
  ['node:read', `${write} ${services}`, 'node:read', nodes],
  ['everything', '', 'service:write on web, service:read, node:read', `${write} ${services} ${nodes}`]
]

for (const [what, rules, missing, add] of rows) {
  t.test(`a token that lacks ${what} is told in one line, with what to add`, async t => {
    const { lines } = await listeningApp(t, { url: consul.url, token: await tokenFor(rules), service: { name: 'web' } })
    await until(() => aboutRights(lines).length > 0)
    t.match(aboutRights(lines), [{
      level: 'warn',
      details: { missing: missing.split(', ') },
      message: `The ACL token lacks ${missing}; add to its policy: ${add}`
    }])
    t.equal(aboutRights(lines).length, 1)
    const others = await tokenFor(`${rules} ${add}`)
    const { app, lines: none } = await listeningApp(t, { url: consul.url, token: others, service: { name: 'web' } })
    await until(() => app.consul.registration.state === 'registered', { timeout: 15_000 })
    t.same(aboutRights(none), [], 'what is added is enough')
  })
}

t.test('of services that are known to be needed each is asked for, and no other', async t => {
  const token = await tokenFor(`${write} ${nodes} service "a" { policy = "read" }`)
  const proxy = await startCountingProxy(t, consul.url)
  const options = { url: proxy.url, token, service: { name: 'web' } }
  const { lines } = await listeningApp(t, { ...options, discovery: { preload: ['a', 'b'] } })
  await until(() => aboutRights(lines).length > 0)
  t.match(aboutRights(lines), [{
    message: 'The ACL token lacks service:read on b; add to its policy: service "b" { policy = "read" }'
  }])
  t.equal(proxy.count(path), 1, 'asked once, though preloading and registering are two reasons')
})

t.test('who finds nobody through Consul needs no right to read services', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const { app, lines } = await listeningApp(t, {
    url: proxy.url, token: await tokenFor(`${write} ${nodes}`), service: { name: 'web' }, mode: 'register'
  })
  await until(() => app.consul.registration.state === 'registered', { timeout: 15_000 })
  await until(() => proxy.count(path) === 1)
  t.same(aboutRights(lines), [])
})

t.test('a service without a name needs what it preloads', async t => {
  const { app, lines } = await testApp(t, {
    url: consul.url, token: await tokenFor(nodes), discovery: { preload: ['a'] }
  })
  await app.ready()
  await until(() => aboutRights(lines).length > 0)
  t.match(aboutRights(lines), [{ message: /^The ACL token lacks service:read on a;/ }])
})

t.test('a registry without Fastify looks too', async t => {
  const { logger, lines } = collectingLogger()
  const token = await tokenFor(`${write} ${services}`)
  const registry = createServiceRegistry('web', 1, { url: consul.url, token, logger })
  t.teardown(() => registry.close())
  await registry.register()
  await until(() => aboutRights(lines).length > 0)
  t.match(aboutRights(lines), [{ message: /^The ACL token lacks node:read;/ }])
})

t.test('an agent that cannot say is asked once, and nothing is told', async t => {
  const answers = [[401, 'ACL support disabled'], [404, ''], [405, 'method POST not allowed'], [403, 'no'], [200, '{}']]
  for (const [status, body] of answers as [number, string][]) {
    const proxy = await startCountingProxy(t, consul.url)
    proxy.answer = ({ url }) => url === path ? { status, body } : undefined
    const { app, lines } = await listeningApp(t, { url: proxy.url, token: consul.token!, service: { name: 'web' } })
    await until(() => app.consul.registration.state === 'registered', { timeout: 15_000 })
    await until(() => proxy.count(path) > 0)
    await app.close()
    t.equal(proxy.count(path), 1)
    t.same(aboutRights(lines), [])
  }
})

t.test('an agent that hangs over it holds up neither the boot nor the registration nor the end', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  proxy.answer = ({ url }) => url === path ? new Promise(() => {}) : undefined
  const { app } = await listeningApp(t, { url: proxy.url, token: consul.token!, service: { name: 'web' } })
  await registered(consul, 'web', 'passing')
  await app.close()
})

t.test('an agent that comes up later is asked then', async t => {
  const late = await createConsul(t, { acl: true })
  const { app, lines } = await listeningApp(t, { url: late.url, service: { name: 'web' } })
  await late.start()
  await until(() => aboutRights(lines).length > 0, { timeout: 30_000 })
  t.match(aboutRights(lines), [{ message: /^The ACL token lacks service:write on web, service:read, node:read;/ }])
  t.ok(app)
})

t.test('an agent that has found its tokens a moment after its start is asked again', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const early = [{ status: 500, body: 'No cluster leader' }, { status: 403, body: 'ACL not found' }]
  proxy.answer = ({ url }) => url === path ? early.shift() : undefined
  const { app, lines } = await listeningApp(t, { url: proxy.url, service: { name: 'web' } })
  await until(() => aboutRights(lines).length > 0, { timeout: 30_000 })
  t.equal(early.length, 0)
  t.ok(app)
})

t.test('nobody listens, nothing is asked', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const { app } = await testApp(t, { url: proxy.url, service: { name: 'web' } })
  await app.ready()
  await app.inject('/')
  await app.close()
  t.equal(proxy.requests.length, 0)
})

// The policy that docs/security.md gives to copy, on an agent that denies everything else.

const blocks = blocksOf(await pageAt('docs/security.md'))
const policy = blocks.find(({ language }) => language === 'hcl')?.text ?? ''
const rules = policy.trim().split(/\n(?=\w)/)
const name = /^service "([^"]+)"/m.exec(policy)?.[1] ?? ''

async function serviceWith (t: Teardown, rules: readonly string[], check: 'http' | 'ttl' = 'http'): Promise<TestApp> {
  return await listeningApp(t, {
    url: consul.url,
    token: await tokenFor(rules.join('\n')),
    service: { name, id: name },
    check: { type: check, interval: '1s' },
    discovery: { wait: '1s' }
  })
}

t.test('the policy has three rules, the first for the own name', async t => {
  t.equal(rules.length, 3)
  t.ok(name)
})

for (const check of ['http', 'ttl'] as const) {
  t.test(`with the policy a service (${check}) registers, is kept, finds others, and leaves`, async t => {
    await consul.api('PUT', '/v1/agent/service/register', { Name: 'other', Port: 7 })
    const { app, lines } = await serviceWith(t, rules, check)
    await registered(consul, name, 'passing')
    await until(() => app.consul.registration.state === 'registered')
    t.match(await app.discover('other'), [{ name: 'other', port: 7 }])
    t.equal(await (await app.fetch(`http://${name}/`)).text(), 'hello')
    t.match(await app.consul.listServices(), { other: [], [name]: [] })

    await consul.api('PUT', `/v1/agent/service/deregister/${name}`)
    await until(() => messages(lines, 'warn').some(line => line.startsWith('The registration was lost')))
    await registered(consul, name, 'passing')
    t.equal((await checksOf(consul, name)).length, 1)
    await app.consul.maintenance(true, 'a new disk')
    await until(async () => (await app.discover(name)).length === 0)
    await app.consul.maintenance(false)
    await until(async () => (await app.discover(name)).length === 1)

    await app.close()
    t.equal(await agentService(consul, name), undefined)
    await gone(consul, name)
    t.same(messages(lines, 'error'), [])
    t.notMatch(inspect(lines, { depth: 5 }), /ACL|forbids|Permission denied/)
  })
}

const missing = [`service:write on ${name}`, 'service:read', 'node:read']

for (const [index, right] of missing.entries()) {
  t.test(`without its rule ${right} is named, with the rule to add`, async t => {
    const { lines } = await serviceWith(t, rules.toSpliced(index, 1))
    await until(() => aboutRights(lines).length > 0)
    const rule = rules[index]!.replaceAll(/#.*$/gm, '').replaceAll(/\s+/g, ' ').trim()
    t.equal(aboutRights(lines)[0]?.message, `The ACL token lacks ${right}; add to its policy: ${rule}`)
  })
}

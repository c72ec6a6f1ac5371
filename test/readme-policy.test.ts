import { readFile } from 'node:fs/promises'
import { inspect } from 'node:util'
import t from 'tap'
import { issueToken, setPolicy } from './lifecycle/acl.ts'
import { listeningApp, messages, type TestApp } from './lifecycle/app.ts'
import { agentService, checksOf, gone, registered } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import type { Teardown } from './support/teardown.ts'
import { until } from './support/wait.ts'

/** The policy that the README gives to copy, on an agent that denies everything else. */

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const policy = /```hcl\n(.+?)```/s.exec(readme)?.[1] ?? ''
const rules = policy.trim().split(/\n(?=\w)/)
const name = /^service "([^"]+)"/m.exec(policy)?.[1] ?? ''
const consul = await startConsul(t, { acl: true })

let count = 0

async function tokenWith (rules: readonly string[]): Promise<string> {
  const policy = `readme-${count++}`
  await setPolicy(consul, policy, rules.join('\n'))
  return (await issueToken(consul, policy)).token
}

async function serviceWith (t: Teardown, rules: readonly string[], check: 'http' | 'ttl' = 'http'): Promise<TestApp> {
  return await listeningApp(t, {
    url: consul.url,
    token: await tokenWith(rules),
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
    await gone(consul, name)
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
    const line = await until(() => messages(lines, 'warn').find(line => line.startsWith('The ACL token lacks')))
    const rule = rules[index]!.replaceAll(/#.*$/gm, '').replaceAll(/\s+/g, ' ').trim()
    t.equal(line, `The ACL token lacks ${right}; add to its policy: ${rule}`)
  })
}

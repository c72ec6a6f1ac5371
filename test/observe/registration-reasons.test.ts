import { readFile } from 'node:fs/promises'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import type { ConsulOptions } from '../../lib/options/types.ts'
import { listeningApp, type TestApp } from '../lifecycle/app.ts'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy, type CountingProxy } from '../support/counting-proxy.ts'
import { until } from '../support/wait.ts'
import { seriesOf } from './series.ts'

const consul = await startConsul(t)
const { api } = consul

interface Kept extends TestApp {
  proxy: CountingProxy
  /** How often the agent took a registration, by reason. */
  reasons: () => Promise<Record<string, number>>
}

/** A service that Consul knows. */
async function kept (t: Test, name: string, options: ConsulOptions = {}): Promise<Kept> {
  const register = new Registry()
  const proxy = await startCountingProxy(t, consul.url)
  const { app, lines } = await listeningApp(t, {
    url: proxy.url, service: { name, id: name }, metrics: { register }, ...options
  })
  await until(() => app.consul.registration.state === 'registered')
  const reasons = async () => Object.fromEntries((await seriesOf(register))
    .filter(series => series.name === 'consul_registrations_total')
    .map(({ labels, value }) => [labels['reason'], value]))
  return { app, lines, proxy, reasons }
}

async function inCatalog (what: object): Promise<void> {
  const { json } = await api<{ Config: { NodeName: string } }>('GET', '/v1/agent/self')
  await api('PUT', '/v1/catalog/deregister', { Node: json.Config.NodeName, ...what })
}

/** Nothing more is heard of the catalog until the test ends: it tells of many a loss too, and the first one counts. */
function deafen (t: Test, proxy: CountingProxy): void {
  const end = new Promise<undefined>(resolve => t.teardown(() => resolve(undefined)))
  proxy.answer = ({ url }) => url.startsWith('/v1/health/service/') ? end : undefined
}

interface Loss {
  cause: (id: string) => Promise<unknown>
  /** The agent has to tell of it. */
  byAgent?: true
  check?: ConsulOptions['check']
}

const losses: Record<string, Loss> = {
  forgotten: { cause: id => api('PUT', `/v1/agent/service/deregister/${id}`), byAgent: true },
  check_forgotten: {
    cause: id => api('PUT', `/v1/agent/check/deregister/service:${id}:a`),
    byAgent: true,
    check: { type: 'ttl', interval: '1s' }
  },
  changed: { cause: id => api('PUT', '/v1/agent/service/register', { Name: id, ID: id, Port: 9 }) },
  not_listed: { cause: id => inCatalog({ ServiceID: id }) },
  check_not_listed: { cause: id => inCatalog({ CheckID: `service:${id}:a` }) }
}

for (const [reason, { cause, byAgent, check }] of Object.entries(losses)) {
  t.test(`what was lost is told by the reason of the correction: ${reason}`, async t => {
    const id = reason.replaceAll('_', '-')
    const { app, proxy, reasons } = await kept(t, id, { check })
    t.same(await reasons(), { first: 1 })
    if (byAgent) deafen(t, proxy)
    await cause(id)
    await until(async () => Object.keys(await reasons()).length > 1)
    if (!byAgent) await until(() => app.consul.registration.state === 'registered')
    t.same(await reasons(), { first: 1, [reason]: 1 })
  })
}

t.test('a registration for a new token, or of what is well again, has a reason of its own', async t => {
  let token = 'one'
  let isWell = false
  const run = async () => { if (!isWell) throw new Error('not yet') }
  const { reasons } = await kept(t, 'renewed', {
    token: () => token, discovery: { wait: '1s' }, health: { cacheFor: 0, checks: [{ name: 'own', run }] }
  })
  t.same(await reasons(), { first: 1 })
  isWell = true
  await until(async () => Object.hasOwn(await reasons(), 'recovered'))
  t.same(await reasons(), { first: 1, recovered: 1 })
  token = 'two'
  await until(async () => Object.hasOwn(await reasons(), 'token'))
  t.same(await reasons(), { first: 1, recovered: 1, token: 1 })
})

t.test('docs/metrics.md names every reason', async t => {
  const docs = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
  const row = /^\| `consul_registrations_total` .+$/m.exec(docs)?.[0] ?? ''
  for (const reason of ['first', ...Object.keys(losses), 'token', 'recovered']) t.match(row, `\`${reason}\``)
})

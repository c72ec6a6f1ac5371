import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { Counter, Registry } from 'prom-client'
import t, { type Test } from 'tap'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { fastifyConsul } from '../../lib/index.ts'
import type { ConsulOptions } from '../../lib/options/types.ts'
import { apiOutcomes, endpointOf, endpoints } from '../../lib/observe/api-labels.ts'
import { attemptOutcomes, callOutcomes } from '../../lib/observe/call-counts.ts'
import { metricsTable } from '../../lib/observe/metrics-table.ts'
import { promClient } from '../../lib/observe/prom-client.ts'
import { registered } from '../lifecycle/catalog.ts'
import { listeningApp, testApp, type TestApp, type TestAppOptions } from '../lifecycle/app.ts'
import { testRegistry } from '../lifecycle/registry.ts'
import { startServer } from '../calls/helpers.ts'
import { startConsul } from '../support/consul.ts'
import { freePort } from '../support/ports.ts'
import { startScript } from '../support/process.ts'
import { until } from '../support/wait.ts'
import { seriesOf, valueOf } from './series.ts'

const consul = await startConsul(t)
const docs = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8')

async function listening (
  t: Test, name: string, options: TestAppOptions = {}
): Promise<TestApp & { register: Registry }> {
  const register = new Registry()
  const { app, lines } = await listeningApp(t, {
    url: consul.url, service: { name, id: name }, metrics: { register }, ...options
  })
  await until(() => app.consul.registration.state === 'registered')
  return { app, lines, register }
}

async function list (name: string, port: number, more: object = {}): Promise<void> {
  const place = { ID: `${name}-${port}`, Address: '127.0.0.1', Port: port }
  await consul.api('PUT', '/v1/agent/service/register', { Name: name, ...place, ...more })
}

// Registration

t.test('the state of the registration is one of all, and how long it took to be routable stays', async t => {
  const { app, register } = await listening(t, 'state')
  const state = (name: string) => valueOf(register, 'consul_registration_state', { service: 'state', state: name })
  t.equal(await state('registered'), 1)
  t.equal(await state('none'), 0)
  t.equal(await valueOf(register, 'consul_registration_state'), 1)
  const routable = await valueOf(register, 'consul_registration_routable_seconds', { service: 'state' }) ?? NaN
  t.ok(routable > 0 && routable < 30, String(routable))
  await app.consul.drain()
  t.equal(await state('draining'), 1)
  t.equal(await state('registered'), 0)
})

// Discovery

t.test('a first call for a service is timed, later ones are not', async t => {
  const { app, register } = await listening(t, 'caller')
  await list('found', 9)
  for (let time = 0; time < 3; time++) await app.discover('found')
  await app.discover('nobody-knows-it')
  t.equal(await valueOf(register, 'consul_discovery_seconds_count', { outcome: 'found' }), 1)
  t.equal(await valueOf(register, 'consul_discovery_seconds_count', { outcome: 'unknown' }), 1)
})

t.test('the size of a list is told by status, and its age', async t => {
  const { app, register } = await listening(t, 'sizes')
  for (const [port, status] of [[1, 'passing'], [2, 'passing'], [3, 'warning'], [4, 'critical']] as const) {
    await list('sized', port, { Check: { CheckID: `sized-${port}`, TTL: '1h', Status: status } })
  }
  await until(async () => (await app.discover('sized')).length === 3)
  const size = (status: string) => valueOf(register, 'consul_discovery_instances', { service: 'sized', status })
  t.same(await Promise.all(['passing', 'warning', 'critical', 'maintenance'].map(size)), [2, 1, 1, 0])
  const age = await valueOf(register, 'consul_discovery_age_seconds', { service: 'sized' }) ?? NaN
  t.ok(age >= 0 && age < 60, String(age))
  t.equal(await valueOf(register, 'consul_discovery_stale_seconds', { service: 'sized' }), 0)
})

t.test('while Consul is away a list gets older, and is stale', async t => {
  const own = await startConsul(t)
  const register = new Registry()
  const { app } = await testApp(t, { url: own.url, metrics: { register } })
  await own.api('PUT', '/v1/agent/service/register', { Name: 'old', Port: 9 })
  await until(async () => (await app.discover('old')).length === 1)
  const value = async (what: string) =>
    await valueOf(register, `consul_discovery_${what}_seconds`, { service: 'old' }) ?? NaN
  t.equal(await value('stale'), 0)
  await own.kill()
  await until(async () => await value('stale') > 0)
  const [age, stale] = [await value('age'), await value('stale')]
  await until(async () => await value('age') > age && await value('stale') > stale)
})

t.test('services are counted by how they are kept up to date', async t => {
  const { app, register } = await listening(t, 'watching', { discovery: { maxWatches: 1, idleAfter: '2s' } })
  const count = (state: string) => valueOf(register, 'consul_discovery_services', { state })
  for (const name of ['one', 'two']) {
    await list(name, 9)
    await app.discover(name)
  }
  // The own service is watched besides.
  t.same([await count('watched'), await count('polled'), await count('resting')], [2, 1, 0])
  await until(async () => await count('resting') === 2, { timeout: 20_000 })
  t.same([await count('watched'), await count('polled')], [1, 0])
})

t.test('mode register tells whether Consul agrees with the fallback, and counts each new difference', async t => {
  const fallback = { Moving: ['http://127.0.0.1:7001'], 'not-called': ['http://127.0.0.1:7001'] }
  const { register, registry } = await calling(t, fallback, { mode: 'register', url: consul.url })
  const agrees = (service = 'Moving') => valueOf(register, 'consul_fallback_agrees', { service })
  const mismatches = () => valueOf(register, 'consul_fallback_mismatches_total', { service: 'Moving' })
  const callUntil = async (value: number) => until(async () => {
    await registry.discover('moving')
    return await agrees() === value
  })
  await list('Moving', 7001)
  await registered(consul, 'Moving')
  t.equal(await agrees(), undefined, 'not compared yet')
  await callUntil(1)
  t.equal(await mismatches(), 0, 'there from the start, as increase() does not see the first one')
  await list('Moving', 7002)
  await callUntil(0)
  t.equal(await mismatches(), 1)
  await consul.api('PUT', '/v1/agent/service/deregister/Moving-7002')
  await callUntil(1)
  t.equal(await mismatches(), 1)
  t.equal(await agrees('not-called'), undefined)
  t.equal(await valueOf(register, 'consul_discovery_seconds_count'), undefined, 'no call has waited for Consul')
  await registry.close()
  t.same([await agrees(), await mismatches()], [undefined, 1])
})

// Consul's API

t.test('requests to Consul are timed by endpoint and outcome, without those that wait', async t => {
  const { app, register } = await listening(t, 'api')
  const count = (endpoint: string, outcome = 'ok') =>
    valueOf(register, 'consul_api_request_seconds_count', { endpoint, outcome })
  t.equal(await count('agent/service/register'), 1)
  await t.rejects(app.consul.client.agentService('no-such-id'), { code: 'FST_CONSUL_API_NOT_FOUND' })
  t.equal(await count('agent/service', 'not_found'), 1)
  const waited = () => valueOf(register, 'consul_blocking_queries_total', { endpoint: 'health/service', outcome: 'ok' })
  const before = await waited() ?? 0
  await list('api', 9)
  await until(async () => (await waited() ?? 0) > before)
  for (const { labels } of await seriesOf(register)) {
    if (labels['endpoint'] !== undefined) t.ok((endpoints as readonly string[]).includes(labels['endpoint']))
  }
})

t.test('a Consul that is away is seen in the outcomes', async t => {
  const register = new Registry()
  const url = `http://127.0.0.1:${await freePort()}`
  const { app } = await testApp(t, { url, timeout: '1s', metrics: { register } })
  await t.rejects(app.consul.client.leader(), { code: 'FST_CONSUL_API_UNREACHABLE' })
  t.equal(await valueOf(register, 'consul_api_request_seconds_count', { outcome: 'unreachable' }), 1)
  await t.rejects(app.discover('any'), { code: 'FST_CONSUL_UNAVAILABLE' })
  t.equal(await valueOf(register, 'consul_discovery_seconds_count', { outcome: 'failed' }), 1)
})

t.test('what was asked for is the endpoint, whatever it was asked of', async t => {
  t.equal(endpointOf('/health/service/l02'), 'health/service')
  t.equal(endpointOf('/agent/service/l02'), 'agent/service')
  t.equal(endpointOf('/agent/service/deregister/l02'), 'agent/service/deregister')
  t.equal(endpointOf('/kv/secret'), 'other')
})

// Health

t.test('health checks are timed by name and status, and their last status is told', async t => {
  const register = new Registry()
  const { app } = await testApp(t, { mode: 'static', health: { cacheFor: 0 }, metrics: { register } })
  let status: 'healthy' | 'degraded' = 'healthy'
  app.consul.health.add({ name: 'disk', run: async () => status })
  const last = (of: string) => valueOf(register, 'consul_health_check_status', { check: 'disk', status: of })
  await app.consul.health.check()
  t.same([await last('healthy'), await last('degraded')], [1, 0])
  status = 'degraded'
  await app.consul.health.check()
  t.same([await last('healthy'), await last('degraded'), await last('unhealthy')], [0, 1, 0])
  for (const status of ['healthy', 'degraded']) {
    t.equal(await valueOf(register, 'consul_health_check_seconds_count', { check: 'disk', status }), 1)
  }
})

// Calls

/** Calls with fixed addresses. */
async function calling (t: Test, fallback: Record<string, string[]>, options: ConsulOptions = {}) {
  const register = new Registry()
  const { registry } = testRegistry(t, 'caller', 0, { mode: 'static', fallback, metrics: { register }, ...options })
  const get = async (service: string, init: object = {}): Promise<number> => {
    const { statusCode, body } = await registry.request(`http://${service}/`, init)
    await body.dump()
    return statusCode
  }
  return { register, registry, get }
}

t.test('calls are counted by service, outcome and class of status, and their attempts', async t => {
  const { instance } = await startServer(t, 'a', (request, response) => {
    response.writeHead(Number(request.headers['x-status'] ?? 200)).end()
  })
  const { register, get } = await calling(t, { svc: [instance.url] })
  const count = (status: string) =>
    valueOf(register, 'consul_calls_total', { service: 'svc', outcome: 'answered', status })
  for (const status of [200, 204, 302, 404, 500, 503]) await get('svc', { headers: { 'x-status': String(status) } })
  t.same(await Promise.all(['2xx', '3xx', '4xx', '5xx', 'none'].map(count)), [2, 1, 1, 2, undefined])
  const attempts = (outcome: string) => valueOf(register, 'consul_call_attempts_total', { service: 'svc', outcome })
  t.same([await attempts('success'), await attempts('failure')], [5, 1])
  await get('svc')
  t.equal(await count('2xx'), 3)
  t.equal(await count('2xx'), 3, 'the same when nothing happened meanwhile')
})

t.test('calls that get no response are counted by why', async t => {
  const { instance: silent } = await startServer(t, 'silent', () => {})
  const dead = `http://127.0.0.1:${await freePort()}`
  const { register, get } = await calling(t, { silent: [silent.url], dead: [dead] })
  const count = (outcome: string, service: string) =>
    valueOf(register, 'consul_calls_total', { service, outcome, status: 'none' })
  await t.rejects(get('dead'), { code: 'FST_CONSUL_NO_INSTANCE' })
  await t.rejects(get('silent', { balance: { timeout: 10, retries: 0 } }), { code: 'FST_CONSUL_ATTEMPT_TIMEOUT' })
  await t.rejects(get('silent', { balance: { deadline: 10 } }), { code: 'FST_CONSUL_DEADLINE' })
  await t.rejects(get('silent', { signal: AbortSignal.timeout(10) }))
  t.equal(await count('no_instance', 'dead'), 1)
  t.equal(await count('timeout', 'silent'), 2)
  t.equal(await count('aborted', 'silent'), 1)
})

t.test('calls that wait for a connection are shown while they do, and counted if they wait in vain', async t => {
  const { instance, server } = await startServer(t, 'a', (_, response) => {
    server.once('answer', () => response.end())
  })
  const calls = { connections: 1 }
  const { register, get } = await calling(t, { Svc: [instance.url], other: [instance.url] }, { calls })
  const waiting = (service: string) => valueOf(register, 'consul_waiting_calls', { service })
  const answered = get('svc')
  t.equal(await waiting('Svc'), 0)
  const inTime = get('svc')
  t.equal(await waiting('Svc'), 1)
  await t.rejects(get('svc', { balance: { timeout: 10 } }), { code: 'FST_CONSUL_BUSY' })
  const busy = { service: 'Svc', outcome: 'busy', status: 'none' }
  t.equal(await valueOf(register, 'consul_calls_total', busy), 1)
  for (const call of [answered, inTime]) {
    await until(() => server.emit('answer'))
    t.equal(await call, 200)
    t.equal(await waiting('Svc'), 0)
  }
  t.equal(await waiting('other'), undefined, 'nobody has called it')
})

t.test('a connection that breaks within the response is a failed call', async t => {
  const { instance } = await startServer(t, 'a', (_, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('half')
    setImmediate(() => response.destroy())
  })
  const { register, registry } = await calling(t, { svc: [instance.url] })
  const { body } = await registry.request('http://svc/')
  await t.rejects(body.text())
  t.equal(await valueOf(register, 'consul_calls_total', { outcome: 'failed', status: '2xx' }), 1)
  t.equal(await valueOf(register, 'consul_call_attempts_total'), 1, 'one attempt, however often it was told of')
})

t.test('retries are counted by whether the request was sent, and the budget shrinks', async t => {
  const dead = `http://127.0.0.1:${await freePort()}`
  const { instance: refusing } = await startServer(t, 'a', (_, response) => response.writeHead(503).end())
  const { instance: good } = await startServer(t, 'b')
  const { register, get } = await calling(t, { lost: [dead, good.url], refused: [refusing.url, good.url] })
  const retries = (service: string, sent: string) => valueOf(register, 'consul_call_retries_total', { service, sent })
  const left = async () => await valueOf(register, 'consul_retry_budget_left') ?? NaN
  t.equal(await left(), 100)
  const strategy = (all: readonly ServiceInstance[]) => all.find(({ url }) => url !== good.url) ?? all[0]
  for (const service of ['lost', 'refused']) t.equal(await get(service, { balance: { strategy } }), 200)
  t.same([await retries('lost', 'false'), await retries('lost', 'true')], [1, undefined])
  t.same([await retries('refused', 'false'), await retries('refused', 'true')], [undefined, 1])
  t.ok(await left() < 100)
})

t.test('an instance that is left out is counted, and shown while it is', async t => {
  const { instance: bad } = await startServer(t, 'bad', (_, response) => response.writeHead(503).end())
  const { instance: good } = await startServer(t, 'good')
  const calls = { outlier: { ejectionTime: '1m' } }
  const { register, get } = await calling(t, { svc: [bad.url, good.url] }, { calls })
  const ejected = () => valueOf(register, 'consul_ejected_instances', { service: 'svc' })
  await get('svc')
  t.equal(await ejected(), 0)
  await until(async () => {
    await get('svc')
    return await ejected() === 1
  })
  t.equal(await valueOf(register, 'consul_ejections_total', { service: 'svc' }), 1)
})

t.test('open connections are counted by service', async t => {
  const { instance, server } = await startServer(t, 'a')
  const { register, get } = await calling(t, { svc: [instance.url] })
  const open = () => valueOf(register, 'consul_call_connections', { service: 'svc' })
  await Promise.all([get('svc'), get('svc'), get('svc')])
  t.equal(await open(), 3)
  server.closeAllConnections()
  await until(async () => await open() === 0)
})

// Names

/** The services that stand in labels. */
async function servicesIn (register: Registry): Promise<Set<string | undefined>> {
  return new Set((await seriesOf(register)).map(({ labels }) => labels['service']))
}

t.test('a name that the catalog holds is a label, and any other is not', async t => {
  const { register, get } = await calling(t, {}, { mode: 'hybrid', url: consul.url })
  await list('Held', await freePort())
  await list('ill', 9, { Check: { TTL: '1h', Status: 'critical' } })
  const invented = Array.from({ length: 100 }, (_, index) => `invented-${index}`)
  for (const name of ['held', 'ill', ...invented]) await t.rejects(get(name), { code: 'FST_CONSUL_NO_INSTANCE' })
  t.same(await servicesIn(register), new Set([undefined, 'caller', 'Held', 'ill', 'other']))
  t.equal(await valueOf(register, 'consul_calls_total', { service: 'other', outcome: 'no_instance' }), 100)
})

t.test('a service is called as Consul calls it, well or not, in whatever case it is asked for', async t => {
  const { register, registry, get } = await calling(t, {}, { mode: 'hybrid', url: consul.url })
  await list('Ailing', 9, { Check: { TTL: '1h', Status: 'critical' } })
  await registered(consul, 'Ailing', 'critical')
  for (const name of ['Ailing', 'ailing', 'AILING', 'aILING']) t.same(await registry.discover(name), [])
  await t.rejects(get('ailing'), { code: 'FST_CONSUL_NO_INSTANCE' })
  t.same(await servicesIn(register), new Set([undefined, 'caller', 'Ailing']))
})

t.test('a service that is known of another datacenter only is a label too', async t => {
  const { register, get } = await calling(t, {}, { mode: 'hybrid', url: consul.url })
  await list('Remote', 9, { Check: { TTL: '1h', Status: 'critical' } })
  await registered(consul, 'Remote', 'critical')
  await t.rejects(get('remote.service.dc1.consul'), { code: 'FST_CONSUL_NO_INSTANCE' })
  const call = { service: 'Remote', outcome: 'no_instance' }
  t.equal(await valueOf(register, 'consul_calls_total', call), 1)
})

t.test('ten thousand invented names are one label', async t => {
  const { register, get } = await calling(t, { svc: ['http://127.0.0.1:9'] })
  const lengthBefore = (await register.metrics()).length
  for (let index = 0; index < 10_000; index++) await get(`invented-${index}`).catch(() => {})
  t.same(await servicesIn(register), new Set([undefined, 'caller', 'other']))
  t.equal(await valueOf(register, 'consul_calls_total', { service: 'other' }), 10_000)
  t.ok((await register.metrics()).length - lengthBefore < 200)
})

t.test('of more than a thousand services the last ones are others', async t => {
  const { instance: { url } } = await startServer(t, 'a')
  const names = Array.from({ length: 1010 }, (_, index) => `svc-${index}`)
  const { register, get } = await calling(t, Object.fromEntries(names.map(name => [name, [url]])))
  for (const name of names) await get(name)
  t.equal(await valueOf(register, 'consul_calls_total', { service: 'svc-999' }), 1)
  t.equal(await valueOf(register, 'consul_calls_total', { service: 'svc-1000' }), undefined)
  t.equal(await valueOf(register, 'consul_calls_total', { service: 'other' }), 10)
})

// Registers

t.test('two apps on one register add up, and each goes with its own gauges', async t => {
  const register = new Registry()
  const { instance } = await startServer(t, 'a')
  const options = { mode: 'static', fallback: { svc: [instance.url] }, metrics: { register } } as const
  const { registry: one } = testRegistry(t, 'one', 0, options)
  const { registry: two } = testRegistry(t, 'two', 0, options)
  for (const { request } of [one, two, two]) await (await request('http://svc/')).body.dump()
  const calls = () => valueOf(register, 'consul_calls_total', { service: 'svc' })
  const state = (service: string) => valueOf(register, 'consul_registration_state', { service })
  t.equal(await calls(), 3)
  t.equal(await valueOf(register, 'consul_call_connections', { service: 'svc' }), 2)
  t.same([await state('one'), await state('two')], [1, 1])
  await (await two.request('http://svc/')).body.dump()
  await two.close()
  t.same([await state('one'), await state('two')], [1, undefined])
  t.equal(await calls(), 4, 'counters never go back')
})

t.test('registries that share a process and not a register do not count each other\'s calls', async t => {
  const { instance } = await startServer(t, 'a')
  const one = await calling(t, { svc: [instance.url] })
  const two = await calling(t, { svc: [instance.url] })
  await one.get('svc')
  t.equal(await valueOf(one.register, 'consul_calls_total'), 1)
  t.equal(await valueOf(two.register, 'consul_calls_total'), undefined)
})

t.test('a thousand registries that came and went leave nothing on the register', async t => {
  const register = new Registry()
  const options = { mode: 'static', metrics: { register } } as const
  for (let round = 0; round < 1000; round++) await testRegistry({ teardown () {} }, 'a', 0, options).registry.close()
  t.equal(register.getMetricsAsArray().length, Object.keys(metricsTable).length)
  t.same(await seriesOf(register), [])
})

t.test('a plugin that cannot be registered leaves nothing on the register', async t => {
  const register = new Registry()
  const options = { mode: 'static', service: { name: 'once' }, metrics: { register } } as const
  const { app } = await testApp(t, options)
  await t.rejects(async () => await app.register(fastifyConsul, options), { code: 'FST_ERR_DEC_ALREADY_PRESENT' })
  t.equal(await valueOf(register, 'consul_registration_state', { service: 'once', state: 'none' }), 1)
})

t.test('a register that was cleared gets its metrics again with the next registry', async t => {
  const register = new Registry()
  const options = { mode: 'static', metrics: { register } } as const
  await testRegistry(t, 'a', 0, options).registry.close()
  register.clear()
  testRegistry(t, 'a', 0, options)
  t.equal(await valueOf(register, 'consul_registration_state', { service: 'a' }), 1)
})

t.test('a register that has a metric of such a name is refused', async t => {
  const register = new Registry()
  const counter = new Counter({ name: 'consul_calls_total', help: 'Mine.', registers: [register] })
  t.throws(() => testRegistry(t, 'a', 0, { mode: 'static', metrics: { register } }), {
    code: 'FST_CONSUL_INVALID_OPTION', message: /^metrics.register must be without a metric named consul_calls_total/
  })
  t.equal(register.getMetricsAsArray().length, 1)
  t.equal(register.getSingleMetric('consul_calls_total'), counter)
})

t.test('who wants no metrics does not load prom-client', async t => {
  const script = await startScript(t, new URL('loads-prom-client.ts', import.meta.url))
  t.equal((await script.ended).code, 0, script.output)
  t.same(script.lines.filter(line => line.startsWith('with')), ['without: false', 'with: true'])
})

t.test('without prom-client the error says what to install', async t => {
  const nowhere = createRequire(new URL('nowhere.js', `file://${t.testdir()}/`))
  const missing = (id: string): unknown => nowhere(`${id}-that-is-not-installed`)
  t.throws(() => promClient(missing), {
    code: 'FST_CONSUL_INVALID_OPTION',
    message: /^metrics.register must be used with prom-client \(npm install prom-client\)/
  })
})

// docs/metrics.md and Prometheus' rules

/** Cells by the name of the metric. */
const documented = new Map([...docs.matchAll(/^\| `(consul_\w+)` \|(.+)\|$/gm)].map(([, name, cells = '']) =>
  [name, cells.split('|').map(cell => cell.trim())]))

const codesIn = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code)

t.test('docs/metrics.md lists every metric with its type and labels, and no other', async t => {
  t.same([...documented.keys()], Object.keys(metricsTable))
  for (const [name, { type, labels }] of Object.entries(metricsTable)) {
    t.equal(documented.get(name)?.[0], type, name)
    t.same(codesIn(documented.get(name)?.[1]), labels, name)
  }
})

t.test('docs/metrics.md names every outcome', async t => {
  const named = (name: string) => codesIn(documented.get(name)?.[2])
  t.has(new Set(named('consul_calls_total')), new Set(callOutcomes))
  t.has(new Set(named('consul_call_attempts_total')), new Set(attemptOutcomes))
  t.same(named('consul_api_request_seconds'), apiOutcomes)
})

t.test('names, units and help are as Prometheus wants them', async t => {
  for (const [name, { type, help, labels }] of Object.entries(metricsTable)) {
    t.match(name, /^consul_[a-z]+(_[a-z]+)*$/)
    t.equal(name.endsWith('_total'), type === 'counter', `${name}: _total, as a counter and only then`)
    t.notMatch(name, /_(?:count|sum|bucket|info|created)$/, `${name}: a suffix of histograms`)
    t.notMatch(name, /milliseconds|_ms|minutes|gauge|counter|histogram/, `${name}: base units, no types`)
    t.equal(type === 'histogram' && !name.endsWith('_seconds'), false, `${name}: its unit`)
    t.match(help, /^[A-Z].{10,}\.$/)
    for (const label of labels) t.match(label, /^(?!le$|quantile$)[a-z]+$/)
  }
})

t.test('all that is exposed has help and type, in both formats', async t => {
  for (const format of [Registry.PROMETHEUS_CONTENT_TYPE, Registry.OPENMETRICS_CONTENT_TYPE]) {
    const register: Registry = Reflect.construct(Registry, [format])
    testRegistry(t, 'a', 0, { mode: 'static', metrics: { register } })
    testRegistry(t, 'b', 0, { mode: 'static', metrics: { register } })
    const text = await register.metrics()
    for (const [name, { type }] of Object.entries(metricsTable)) {
      const shown = format === Registry.PROMETHEUS_CONTENT_TYPE ? name : name.replace(/_total$/, '')
      t.match(text, `# HELP ${shown} `)
      t.match(text, `# TYPE ${shown} ${type}\n`)
    }
  }
})

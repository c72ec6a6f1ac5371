import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import t from 'tap'
import { parse } from 'yaml'
import { metricsTable } from '../../lib/observe/metrics-table.ts'
import { listeningApp } from '../lifecycle/app.ts'
import { startConsul } from '../support/consul.ts'
import { findPrometheus } from '../support/find-prometheus.ts'
import { freePort } from '../support/ports.ts'
import { startPrometheus, type Prometheus } from '../support/prometheus.ts'
import { until } from '../support/wait.ts'
import { readRules, withoutComparisons } from './alert-rules.ts'
import { boot, type Example } from './boot.ts'
import { expressionsOf, labelsIn, overlap, readDashboard } from './dashboard.ts'

const folder = new URL('../../examples/monitoring/', import.meta.url)
const rules = await readRules(new URL('alerts.yml', folder))
const dashboard = await readDashboard(new URL('dashboard.json', folder))

/** The configuration as it is, but for where Consul is, and in a hurry. */
async function startMonitoring (consul: { host: string, port: number }): Promise<Prometheus> {
  const configuration = parse(await readFile(new URL('prometheus.yml', folder), 'utf8'))
  const [scrape] = configuration.scrape_configs
  Object.assign(scrape.consul_sd_configs[0], { server: `${consul.host}:${consul.port}`, refresh_interval: '1s' })
  return startPrometheus(t, {
    ...configuration,
    global: { scrape_interval: '500ms', evaluation_interval: '500ms' },
    rule_files: [fileURLToPath(new URL('alerts.yml', folder))]
  })
}

async function startServer (listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

// What runs: three services with metrics, one without, two instances of that one that are of no use, a service whose
// metrics are somewhere else, one that nobody answers for, and one that is on its way to Consul and calls an instance
// which never answers.

const consul = await startConsul(t, { persist: true })
const tokenFile = join(t.testdir({ token: 'any' }), 'token')
const refusing = await startServer((_, response) => response.writeHead(503).end())
const ownRoute = await startServer(({ url }, response) => {
  response.setHeader('content-type', 'text/plain; version=0.0.4')
  response.end(url === '/internal' ? 'found_by_its_meta 1\n' : '')
})
const silent = await startServer(() => {})
const dead = await freePort()

interface Groups {
  groups: { rules: Rule[] }[]
}

interface Rule {
  name: string
  health: string
  lastError?: string
  alerts: { annotations: Record<string, string> }[]
}

interface Targets {
  activeTargets: { labels: Record<string, string>, scrapeUrl: string }[]
  droppedTargets: unknown[]
}

async function list (name: string, id: string, more: object): Promise<void> {
  await consul.api('PUT', '/v1/agent/service/register', { Name: name, ID: id, Address: '127.0.0.1', ...more })
}

async function listWhatDoesNotRegisterItself (): Promise<void> {
  await list('l02-runtime', 'refusing', { Port: refusing })
  await list('l02-runtime', 'dead', { Port: dead })
  const meta = { metrics_port: String(ownRoute), metrics_path: '/internal' }
  await list('l04-own-route', 'l04-1', { Port: dead, Tags: ['metrics'], Meta: meta })
  await list('l06-https', 'l06-1', { Port: dead, Tags: ['metrics'], Meta: { scheme: 'https' } })
}

const bootMonitored = (name: string, env = {}): Promise<Example> =>
  boot(t, 'metrics.ts', consul, { SERVICE_NAME: name, SERVICE_ID: `${name}-1`, SERVICE_TAGS: 'api,metrics', ...env })

/** Of calls that share one connection all but the first one wait for it. */
async function startMigrating (): Promise<FastifyInstance> {
  const register = new Registry()
  const { app } = await listeningApp(t, {
    url: consul.url,
    mode: 'register',
    fallback: { 'l02-runtime': `http://127.0.0.1:${silent}` },
    service: { name: 'l07-migrating', id: 'l07-migrating-1', tags: ['metrics'] },
    calls: { connections: 1 },
    metrics: { register },
    routes: app => app.get('/metrics', async (_, reply) =>
      reply.type(register.contentType).send(await register.metrics()))
  })
  return app
}

const [prometheus, caller, leaving, migrating] = await Promise.all([
  startMonitoring(consul),
  bootMonitored('l01-data-layer'),
  bootMonitored('l03-leaving'),
  startMigrating(),
  bootMonitored('l05-no-token', { CONSUL_HTTP_TOKEN_FILE: tokenFile }),
  boot(t, 'provider.ts', consul, { SERVICE_NAME: 'l02-runtime', SERVICE_ID: 'good' }),
  listWhatDoesNotRegisterItself()
])

/** One call after the other, until the end. */
async function call (): Promise<void> {
  while (caller.script.running) {
    await (await fetch(`${caller.url}/call-l02`)).text()
    await setTimeout(10) // Others need the processor too.
  }
}

const calling = call().catch(() => {})

const waiting = migrating.fetch('http://l02-runtime/').catch(() => {})
await migrating.fetch('http://l02-runtime/', { balance: { timeout: 50 } }).catch(() => {})
t.teardown(async () => {
  await caller.script.kill()
  await migrating.close()
  await Promise.all([calling, waiting])
})

/** Waits until an expression has a series with a number, and tells the labels of all that have. */
async function series (expression: string): Promise<Record<string, string>[]> {
  const found = await until(async () => {
    const result = (await prometheus.query(expression)).filter(({ value }) => Number.isFinite(value))
    return result.length > 0 && result
  }, { timeout: 20_000, interval: 200, what: `a series of ${expression}` })
  return found.map(({ metric }) => metric)
}

t.test('Prometheus finds those services that say they have metrics, and calls them by name and id', async t => {
  const names = ['l01-data-layer', 'l03-leaving', 'l04-own-route', 'l05-no-token', 'l07-migrating']
  for (const name of names) await series(`up{job="${name}"} == 1`)
  await series('up{job="l06-https"} == 0')
  const { activeTargets, droppedTargets } = await prometheus.api<Targets>('targets')
  t.same(activeTargets.map(({ labels: { job } }) => job).sort(), [...names, 'l06-https'].sort())
  t.same(droppedTargets, [], 'the others are not even asked for')
  t.match(activeTargets.find(({ labels: { job } }) => job === 'l01-data-layer'), {
    labels: { instance: 'l01-data-layer-1', node: /./ }, scrapeUrl: `${caller.url}/metrics`
  })
  t.match(activeTargets.find(({ labels: { job } }) => job === 'l06-https'), { scrapeUrl: /^https:/ })
  t.match(await series('found_by_its_meta'), [{ job: 'l04-own-route', instance: 'l04-1' }])
})

// What goes wrong, so that every series exists

t.test('a service leaves, and nobody can be called for a moment', async t => {
  leaving.script.signal('SIGTERM')
  t.equal((await leaving.script.ended).code, 0)
  const maintenance = async (on: boolean) => {
    for (const id of ['good', 'refusing', 'dead']) {
      await consul.api('PUT', `/v1/agent/service/maintenance/${id}?enable=${on}`)
    }
  }
  await maintenance(true)
  await series('ALERTS{alertname="ConsulNoRoutableInstance", service="l02-runtime"}')
  await series('ALERTS{alertname="ConsulCallsFail", service="l02-runtime"}')
  await maintenance(false)
  await series('ALERTS{alertname="ConsulServiceGone", job="l03-leaving"}')
})

t.test('Consul is lost for a while, and a token and a registration are gone', async () => {
  await rm(tokenFile)
  await consul.kill()
  await series('consul_api_request_seconds_count{job="l01-data-layer", outcome="unreachable"}')
  await consul.start()
  await consul.api('PUT', '/v1/agent/service/deregister/l01-data-layer-1')
  await series('consul_registrations_total{job="l01-data-layer", reason=~"forgotten|not_listed"}')
})

// What is asked of Prometheus

t.test('every expression of the dashboard has a series, and these have the labels of its legend', async t => {
  const values = {
    service: 'l01-data-layer|l07-migrating',
    instance: 'l01-data-layer-1|l07-migrating-1',
    called: 'l01-data-layer|l02-runtime',
    __rate_interval: '1m'
  }
  for (const { place, expression, labels } of expressionsOf(dashboard, values)) {
    const [found] = await series(expression)
    // The service's own datacenter is an empty label, which Prometheus takes for none.
    const missing = labels.filter(label => label !== 'datacenter' && found?.[label] === undefined)
    t.same(missing, [], `${place}: ${expression}`)
  }
})

t.test('every expression of the alerts has a series, but for what it compares with, and the labels named', async t => {
  for (const { alert, expr, annotations } of rules) {
    const found = await series(withoutComparisons(expr))
    const named = labelsIn(Object.values(annotations).join(), /\$labels\.(\w+)/g)
    t.same(named.filter(label => found[0]?.[label] === undefined), [], alert)
  }
})

t.test('the rules are evaluated, and what is wrong here is on its way to an alert', async t => {
  for (const name of ['InstancesEjected', 'Forbidden']) await series(`ALERTS{alertname="Consul${name}"}`)
  const { groups } = await prometheus.api<Groups>('rules')
  const all = groups.flatMap(({ rules }) => rules)
  t.same(all.map(({ name }) => name).sort(), rules.map(({ alert }) => alert).sort())
  for (const { name, health, lastError, alerts } of all) {
    t.match({ health, lastError }, { health: 'ok', lastError: undefined }, name)
    for (const { annotations } of alerts) t.notMatch(Object.values(annotations).join(), /\{\{|<no value>|<error/, name)
  }
})

t.test('promtool takes the metrics of the example, and has nothing to say of those of this package', async t => {
  const { promtool } = await findPrometheus()
  const checking = spawn(promtool, ['check', 'metrics'])
  checking.stdin.end(await (await fetch(`${caller.url}/metrics`)).text())
  const [code, ...said] = await Promise.all([
    once(checking, 'close').then(([code]) => code), text(checking.stdout), text(checking.stderr)
  ])
  t.ok(code === 0 || code === 3, `3: it has found something, in those of Node (${code})`)
  t.same(said.join('').split('\n').filter(line => line !== '' && !/^(?:nodejs|process)_/.test(line)), [])
})

// The dashboard

t.test('the dashboard shows every metric, and none that does not exist', async t => {
  const shown = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join()
  const names = Object.entries(metricsTable).flatMap(([name, { type }]) =>
    type === 'histogram' ? ['bucket', 'count'].map(suffix => `${name}_${suffix}`) : [name])
  t.same(new Set(labelsIn(shown, /\b(consul_\w+)/g)), new Set(names))
})

t.test('panels of the dashboard stand side by side, say what they show, and use the data source', async t => {
  const { panels } = dashboard
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  for (const [index, { title, type, description, gridPos, datasource, targets = [] }] of panels.entries()) {
    t.notOk(panels.slice(index + 1).some(other => overlap(gridPos, other.gridPos)), title)
    t.ok(gridPos.x + gridPos.w <= 24, title)
    if (type === 'row') continue
    t.match(description, /^[A-Za-z0-9].{10,}\.$/, title)
    t.ok(targets.length > 0, title)
    t.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title)
    const used = [datasource, ...targets.map(target => target.datasource)]
    t.same(new Set(used.map(source => source?.uid)), new Set(['$' + '{datasource}']), title)
  }
})

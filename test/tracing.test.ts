import { readdir, readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node'
import t from 'tap'
import { createServiceRegistry } from '../lib/index.ts'
import { channels } from '../lib/observe/channels.ts'
import { startServer } from './calls/helpers.ts'
import { boot } from './examples/boot.ts'
import { collectingLogger } from './health/collecting-logger.ts'
import { listeningApp, type TestAppOptions } from './lifecycle/app.ts'
import { registered } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { freePort } from './support/ports.ts'
import { Spans, Trace } from './support/spans.ts'
import type { Teardown } from './support/teardown.ts'
import { until } from './support/wait.ts'

const spans = new Spans()
const consul = await startConsul(t)
const page = await readFile(new URL('../docs/tracing.md', import.meta.url), 'utf8')
const example = new URL('../examples/tracing.ts', import.meta.url)
const traces = (count: number): Trace[] => Array.from({ length: count }, () => new Trace())

/** A service that calls another one, `svc`, while it is called itself. */
async function startEdge (t: Teardown, { routes, ...options }: TestAppOptions): ReturnType<typeof listeningApp> {
  return await listeningApp(t, {
    url: consul.url,
    ...options,
    routes: app => {
      app.get('/fetch', async () => await (await app.fetch('http://svc/work')).text())
      app.get('/request', async () => await (await app.consul.request('http://svc/work')).body.text())
      routes?.(app)
    }
  })
}

/** The same where `svc` is at these ports, which are tried in this order. */
async function startStaticEdge (
  t: Teardown, ports: readonly number[], calls: TestAppOptions['calls'] = {}
): ReturnType<typeof listeningApp> {
  return await startEdge(t, {
    mode: 'static',
    fallback: { svc: ports.map(port => `http://127.0.0.1:${port}`) },
    balancer: { strategy: left => left.toSorted((a, b) => ports.indexOf(a.port) - ports.indexOf(b.port))[0] },
    calls: { outlier: false, ...calls }
  })
}

const isBlocking = ({ attributes }: ReadableSpan): boolean => String(attributes['url.query']).includes('index=')

const paths = ['/fetch', '/request'] as const

t.test('a trace goes on through the services that are called, and background work is none of it', async t => {
  await listeningApp(t, {
    url: consul.url, service: { name: 'svc' }, routes: app => app.get('/work', async () => 'done')
  })
  await registered(consul, 'svc', 'passing')
  const { app, url } = await startEdge(t, { discovery: { wait: '1s' } })

  const first = traces(4)
  t.same(await Promise.all(first.map(trace => trace.get(`${url}/fetch`))), first.map(() => 'done'))
  const asked = '  to 127.0.0.1 /v1/health/service/svc: 200'
  const trees = await Promise.all(first.map(trace => spans.treeOf(trace)))
  t.equal(trees.flat().filter(line => line === asked).length, 1, 'one of the first calls asked for all')
  for (const tree of trees) {
    t.same(tree.filter(line => line !== asked), ['in /fetch: 200', '  to svc /work: 200', '    in /work: 200'])
  }

  for (const path of paths) {
    const trace = new Trace()
    await trace.get(`${url}${path}`)
    t.same(await spans.treeOf(trace), [`in ${path}: 200`, '  to svc /work: 200', '    in /work: 200'])
  }

  await consul.api('PUT', '/v1/agent/service/register', { ID: 'another', Name: 'svc', Port: 7 })
  await until(async () => (await app.discover('svc')).length === 2)
  const blocking = await until(() => {
    const found = spans.to('/v1/health/service/svc').filter(isBlocking)
    return found.length > 1 && found
  })
  for (const { parentSpanContext } of blocking) t.equal(parentSpanContext, undefined)
})

t.test('questions that wait for a connection to Consul go on in their own traces', async t => {
  const { url } = await startEdge(t, { routes: app => app.get('/list', async () => await app.consul.listServices()) })
  const all = traces(12)
  await Promise.all(all.map(trace => trace.get(`${url}/list`)))
  for (const trace of all) {
    t.same(await spans.treeOf(trace), ['in /list: 200', '  to 127.0.0.1 /v1/catalog/services: 200'])
  }
})

t.test('who asks whether a lost Consul is back is no part of the call that found it lost', async t => {
  const { instance } = await startServer(t, 'a')
  const trace = new Trace()
  const port = await freePort()
  const { url } = await startEdge(t, { url: `http://127.0.0.1:${port}`, fallback: { svc: instance.url } })
  await trace.get(`${url}/fetch`)
  const probes = await until(() => {
    const found = spans.to('/v1/status/leader').filter(({ attributes }) => attributes['server.port'] === port)
    return found.length > 1 && found
  })
  for (const { parentSpanContext } of probes) t.equal(parentSpanContext, undefined)
  t.same(await spans.treeOf(trace), [
    'in /fetch: 200', '  to 127.0.0.1 /v1/health/service/svc: failed', '  to svc /work: 200'
  ])
})

t.test('what is compared in mode register, or registered by a request, is no part of it', async t => {
  const { logger } = collectingLogger()
  const registry = createServiceRegistry('worker', await freePort(), { url: consul.url, logger })
  t.teardown(() => registry.close())
  const { instance: { port } } = await startServer(t, 'a')
  const { app, url } = await startEdge(t, {
    mode: 'register',
    fallback: { svc: `http://127.0.0.1:${port}` },
    routes: app => app.get('/register', async () => await registry.register())
  })

  const [calling, registering] = [new Trace(), new Trace()]
  await calling.get(`${url}/fetch`)
  await until(() => app.consul.explain('svc').compared)
  t.same(await spans.treeOf(calling), ['in /fetch: 200', '  to svc /work: 200'])

  await registering.get(`${url}/register`)
  await until(() => registry.registration.state === 'registered')
  t.same(await spans.treeOf(registering), ['in /register: 200'])
})

t.test('each attempt is a span of its own under the request, over connections of others too', async t => {
  let refuses = false
  const refusing = await startServer(t, 'a', (_, response) => response.writeHead(refuses ? 503 : 200).end('a'))
  const well = await startServer(t, 'b', ({ headers }, response) => response.end(headers.traceparent))
  const { url } = await startStaticEdge(t, [await freePort(), refusing.instance.port, well.instance.port])

  for (const path of paths) {
    refuses = false
    await Promise.all(traces(4).map(trace => trace.get(`${url}${path}`)))
    refuses = true
    const all = traces(4)
    const arrived = await Promise.all(all.map(trace => trace.get(`${url}${path}`)))
    t.same(arrived.map(header => header.split('-')[1]), all.map(({ id }) => id))
    for (const trace of all) {
      t.same(await spans.treeOf(trace), [
        `in ${path}: 200`, '  to svc /work: failed', '  to svc /work: 503', '  to svc /work: 200'
      ])
    }
  }
})

t.test('a call that waited for the connection of another goes on in its own trace', async t => {
  const running: ServerResponse[] = []
  const { instance: { port } } = await startServer(t, 'a', (_, response) => running.push(response))
  const { app, url } = await startStaticEdge(t, [port], { connections: 1 })

  for (const path of paths) {
    const all = traces(4)
    const answers = all.map(trace => trace.get(`${url}${path}`))
    await until(() => app.consul.explain('svc').waiting === 3)
    for (let left = all.length; left > 0; left--) (await until(() => running.pop())).end('a')
    await Promise.all(answers)
    for (const trace of all) t.same(await spans.treeOf(trace), [`in ${path}: 200`, '  to svc /work: 200'])
  }
})

t.test('what follows on an attempt that took too long is in the trace of its call', async t => {
  const silent = await startServer(t, 'a', () => {})
  const well = await startServer(t, 'b')
  const { url } = await startStaticEdge(t, [silent.instance.port, well.instance.port], { timeout: 100 })

  for (const path of paths) {
    const all = traces(3)
    await Promise.all(all.map(trace => trace.get(`${url}${path}`)))
    for (const trace of all) {
      t.same(await spans.treeOf(trace), [`in ${path}: 200`, '  to svc /work: failed', '  to svc /work: 200'])
    }
  }
})

t.test('no span ended twice', async t => {
  const ids = spans.ended.map(span => span.spanContext().spanId)
  t.ok(ids.length > 100)
  t.equal(new Set(ids).size, ids.length)
  t.same(spans.complaints, [])
})

t.test('nothing of OpenTelemetry is used at run time', async t => {
  const lib = new URL('../lib/', import.meta.url)
  const files = (await readdir(lib, { recursive: true })).filter(name => name.endsWith('.ts'))
  const sources = await Promise.all(files.map(async file => {
    return { file, text: await readFile(new URL(file, lib), 'utf8') }
  }))
  t.ok(sources.length > 100)
  t.same(sources.filter(({ text }) => /opentelemetry|@fastify\/otel/i.test(text)).map(({ file }) => file), [])
  const { dependencies, peerDependencies } =
    JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as Record<string, object>
  t.notMatch(Object.keys({ ...dependencies, ...peerDependencies }).join(), /opentelemetry|otel/)
})

// The page of the documentation

t.test('the setup of the documentation is the example, for the versions that are tested', async t => {
  const [, setup = ''] = /```ts\n(.+?)```/s.exec(page) ?? []
  const text = await readFile(example, 'utf8')
  t.ok(setup.startsWith('import'))
  t.equal(setup, text.slice(text.indexOf('\nimport') + 1))

  const [, install = ''] = /```sh\nnpm install (.+?)```/s.exec(page) ?? []
  const { devDependencies } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
  const packages = install.trim().split(/[\s\\]+/).map(name => name.split(/(?<=.)@/))
  const tested = Object.keys(devDependencies).filter(name => /^@opentelemetry|otel$/.test(name))
  t.same(packages.map(([name]) => name).toSorted(), tested)
  for (const [name = '', version] of packages) t.ok(devDependencies[name].startsWith(`^${version}.`), name)
})

t.test('the page says of each channel in whose context its subscribers run', async t => {
  const line = page.split('\n').find(line => line.startsWith('- Subscribers of')) ?? ''
  for (const name of Object.keys(channels)) t.match(line, `:${name}\``)
})

t.test('with that setup a service is traced that knows nothing of it, and Consul is not', async t => {
  await listeningApp(t, {
    url: consul.url, service: { name: 'l02-runtime' }, routes: app => app.get('/execute', async () => ({}))
  })
  await registered(consul, 'l02-runtime', 'passing')
  const { script, url } = await boot(t, 'minimal.ts', consul, { SERVICE_NAME: 'traced' }, [`--import=${example}`])
  const trace = new Trace()
  await trace.get(`${url}/call-l02`)
  script.signal('SIGTERM')
  t.equal((await script.ended).code, 0)

  const idsOf = (name: string): string[] => script.lines
    .flatMap(line => new RegExp(`^  ${name}: '(.+)',$`).exec(line)?.[1] ?? [])
  t.same(new Set(idsOf('traceId')), new Set([trace.id]))
  t.ok(idsOf('name').includes('request') && idsOf('name').includes('GET'))
  await until(() => spans.ended.some(span => trace.has(span) && span.attributes['url.path'] === '/execute'))
})

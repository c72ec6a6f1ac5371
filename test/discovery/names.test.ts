import t from 'tap'
import { listeningApp, messages } from '../lifecycle/app.ts'
import { registered } from '../lifecycle/catalog.ts'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { startProxy } from '../support/proxy.ts'
import { until } from '../support/wait.ts'
import { testRegistry } from '../lifecycle/registry.ts'
import { idsOf, register, startCatalog } from './helpers.ts'

const consul = await startConsul(t)

t.test('a service is found under its name, whatever that is', async t => {
  const names = ['a b', 'a/b', 'größe', '名前', 'constructor', '__proto__', 'toString', 'a?b&c=d', '%2e%2e', '...']
  for (const name of names) await register(consul, { Name: name, ID: `of-${encodeURIComponent(name)}` })
  const { ids } = startCatalog(t, consul.url)
  for (const name of names) {
    t.same(await ids(name), [`of-${encodeURIComponent(name)}`])
    t.same(await ids(name), [`of-${encodeURIComponent(name)}`], 'and again from memory')
  }
})

t.test('a name that would ask for another path is refused, and asks nobody', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog } = startCatalog(t, proxy.url)
  const paths = ['', '.', '..', '../x', 'a/../b', 'a//b', '/a']
  for (const name of [...paths, 'a\nb', 'a\rb', 'a\u0000', '\u001b[31m', '\u007f', '\u0085', '\ud800']) {
    await t.rejects(catalog.discover(name), { code: 'FST_CONSUL_INVALID_NAME', statusCode: 400 }, JSON.stringify(name))
    t.equal(catalog.peek(name), undefined)
  }
  const long = await catalog.discover('x'.repeat(1_000_000)).catch(error => error)
  t.equal(long.code, 'FST_CONSUL_INVALID_NAME')
  t.ok(long.message.length < 300, 'it is not repeated in full')
  for (const name of [undefined, null, 7, 7n, {}]) {
    await t.rejects(catalog.discover(name as unknown as string), { code: 'FST_CONSUL_INVALID_NAME' })
  }
  t.equal(proxy.count(), 0)
})

t.test('a question that is none is refused in every mode, and the error names what is wrong with it', async t => {
  const modes = [{ mode: 'static' }, { url: consul.url, fallback: { svc: 'http://10.0.0.1:1' } }] as const
  for (const options of modes) {
    const { registry } = testRegistry(t, 'asker', 1, options)
    const ask: Record<string, (name: string, query?: object) => Promise<unknown>> = {
      discover: (name, query) => registry.discover(name, query),
      explain: async (name, query) => registry.explain(name, query),
      getServiceAddress: name => registry.getServiceAddress(name),
      getServiceUrl: name => registry.getServiceUrl(name)
    }
    for (const [name, received] of [[undefined, 'undefined'], [null, 'null'], [7, '7'], [['svc'], 'an array']]) {
      for (const [method, call] of Object.entries(ask)) {
        const message = new RegExp(`^A name must be of .*, got ${received as string}$`)
        await t.rejects(call(name as string), { code: 'FST_CONSUL_INVALID_NAME', message }, method)
      }
    }
    const text = 'a string that is not empty'
    const queries: [query: unknown, message: string][] = [
      [null, 'query must be a plain object, got null'],
      ['v1', "query must be a plain object, got 'v1'"],
      [{ tga: 'v2' }, 'query.tga must be a known option (did you mean tag?), got another name'],
      [{ toString: 1 }, 'query.toString must be one of the known options ' +
        '(tag, tags, datacenter, filter, passingOnly, near), got another name'],
      [{ tag: 7 }, `query.tag must be ${text}, got 7`],
      [{ tags: 'v1' }, "query.tags must be an array of strings that are not empty, got 'v1'"],
      [{ tags: [''] }, 'query.tags must be an array of strings that are not empty, got an array'],
      [{ datacenter: '' }, `query.datacenter must be ${text}, got ''`],
      [{ filter: {} }, `query.filter must be ${text}, got an object`],
      [{ near: null }, `query.near must be ${text}, got null`],
      [{ passingOnly: 'yes' }, "query.passingOnly must be true or false, got 'yes'"]
    ]
    for (const [query, message] of queries) {
      for (const method of ['discover', 'explain']) {
        await t.rejects(ask[method]!('svc', query as object), { code: 'FST_CONSUL_INVALID_OPTION', message })
      }
    }
    const all = { tag: 'v1', tags: ['v1'], datacenter: undefined, filter: undefined, passingOnly: true }
    await t.resolves(registry.discover('svc', { ...all, near: undefined }))
  }
})

t.test('a name of a thousand characters can be asked for', async t => {
  const { ids } = startCatalog(t, consul.url)
  t.same(await ids('x'.repeat(1000)), [])
})

t.test('half of a character in what is asked of Consul is no outage', async t => {
  await register(consul, { Name: 'half' })
  const { catalog, connectivity, ids } = startCatalog(t, consul.url)
  t.same(await ids('half', { near: '\ud800' }), ['half'])
  await t.rejects(catalog.discover('half', { datacenter: '\ud800' }), { cause: { code: 'FST_CONSUL_API_STATUS' } })
  t.ok(connectivity.up)
})

t.test('an unknown name takes no watch, and its answer counts for 5 s', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const clock = new ManualClock()
  const { catalog, ids } = startCatalog(t, proxy.url, { clock })
  t.same(await ids('unknown'), [])
  clock.advance(4999)
  t.same(await ids('unknown'), [])
  t.equal(proxy.count(), 1)
  t.equal(catalog.view('unknown')?.upkeep, 'unknown')
  await register(consul, { Name: 'unknown' })
  t.same(await ids('unknown'), [], 'for so long nobody notices that it exists by now')
  clock.advance(1)
  t.same(await ids('unknown'), ['unknown'])
  t.equal(catalog.view('unknown')?.upkeep, 'watched')
  await until(() => proxy.count() === 3)
})

t.test('each junk name is asked for once, and none is watched', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog } = startCatalog(t, proxy.url)
  const names = Array.from({ length: 100 }, (_, i) => `junk-${i}`)
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(names.map(name => catalog.discover(name)))
    t.ok(answers.every(list => list.length === 0))
  }
  t.equal(proxy.count(), names.length)
  t.notOk(proxy.requests.some(({ url }) => url.includes('index=')))
})

t.test('of fifteen hundred junk names at once a thousand are remembered, and the real service before all', async t => {
  await register(consul, { Name: 'real' })
  const { catalog, ids } = startCatalog(t, consul.url, { connection: { timeout: '1m' } })
  t.same(await ids('real'), ['real'])
  const names = Array.from({ length: 1500 }, (_, i) => `junk-${i}`)
  const answers = await Promise.all(names.map(name => catalog.discover(name)))
  t.ok(answers.every(list => list.length === 0))
  t.equal(names.filter(name => catalog.view(name) !== undefined).length, 999)
  t.equal(catalog.view('real')?.upkeep, 'watched')
  t.same(idsOf(catalog.peek('real')), ['real'])
})

t.test('junk names do not fill the log', async t => {
  const { catalog, lines } = startCatalog(t, consul.url)
  await Promise.all(Array.from({ length: 100 }, (_, i) => catalog.discover(`quiet-${i}`)))
  await t.rejects(catalog.discover('a\nb'))
  t.same(lines, [])
})

t.test('four thousand junk names at once hold up neither the registration nor the service that is there', async t => {
  const proxy = await startProxy(t, consul)
  const { app, lines } = await listeningApp(t, { url: proxy.url, timeout: '1m', service: { name: 'besieged' } })
  let most = 0
  const look = setInterval(() => { most = Math.max(most, proxy.connections) }, 5).unref()
  t.teardown(() => clearInterval(look))
  const junk = Array.from({ length: 4000 }, (_, i) => app.discover(`junk-${i}`))
  let answered = 0
  for (const call of junk) call.then(() => answered++, () => {})
  const id = await until(() => app.consul.registration.state === 'registered' && app.consul.registration.id,
    { timeout: 30_000 })
  t.comment(`registered after ${answered} of the ${junk.length} answers`)
  await consul.api('PUT', `/v1/agent/service/deregister/${id}`)
  await registered(consul, 'besieged', 'passing')
  t.comment(`and again after ${answered}`)
  t.ok(answered < junk.length, 'both did not have to wait for them')
  for (const list of await Promise.all(junk)) if (list.length > 0) t.fail('no junk has instances')
  t.ok(most <= 72, `${most} connections`)
  t.same(messages(lines, 'warn').filter(line => /reached|answers/.test(line)), [])
})

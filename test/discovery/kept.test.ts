import { createServer } from 'node:http'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { systemClock, type Clock } from '../../lib/clock.ts'
import type { WireHealthEntry } from '../../lib/consul/wire.ts'
import type { Catalog } from '../../lib/discovery/catalog.ts'
import { settlingFor } from '../../lib/discovery/guard.ts'
import { fakeServer } from '../consul/helpers.ts'
import { entry } from '../consul/wire-entries.ts'
import { issueToken, setPolicy } from '../lifecycle/acl.ts'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { fastClock } from '../support/fast-clock.ts'
import { until } from '../support/wait.ts'
import { deregister, idsOf, register, startCatalog } from './helpers.ts'

/** A list is replaced only by a better one. */

const lastIsGone = 'warn No healthy instance is left'
const partial = 'warn The token seems to see only a part of a service; what is missing of it is kept'
const again = 'info Consul lists its services again'

/** Looks at a service all the time; the end tells every list of ids that there was. */
function observe (t: Test, catalog: Catalog, name: string): () => string[] {
  const seen = new Set<string>()
  const look = (): void => { seen.add(String(idsOf(catalog.peek(name)))) }
  const timer = setInterval(look, 1)
  t.teardown(() => clearInterval(timer))
  return () => {
    look()
    clearInterval(timer)
    return [...seen]
  }
}

/** The system's time, which the test can set forward. */
function skippingClock () {
  let skipped = 0
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + skipped }
  return { clock, skip: (ms: number) => { skipped += ms } }
}

const heldIn = (catalog: Catalog, name: string): string[] =>
  (catalog.view(name)?.snapshot?.known ?? []).filter(({ held }) => held !== undefined).map(({ id }) => id).toSorted()

t.test('an agent restarted empty shortens no list, while its services are registered again one by one', async t => {
  const consul = await startConsul(t)
  const ids = ['web-1', 'web-2', 'web-3']
  for (const ID of ids) await register(consul, { Name: 'web', ID })
  const { catalog, log } = startCatalog(t, consul.url)
  const listed: string[] = []
  catalog.follow('web', entries => listed.push(String(entries.map(({ Service }) => Service.ID).toSorted())))
  const list = await catalog.discover('web')
  const seen = observe(t, catalog, 'web')
  await consul.kill()
  await consul.start()
  await until(() => heldIn(catalog, 'web').length === 3, { timeout: 20_000 })
  t.equal(catalog.peek('web'), list, 'the very same array')
  t.equal(listed.at(-1), '', 'who follows the service hears what Consul lists')
  for (const [i, ID] of ids.entries()) {
    await register(consul, { Name: 'web', ID })
    await until(() => heldIn(catalog, 'web').length === 2 - i)
  }
  t.same(seen(), [String(ids)])
  t.notOk(log().includes(lastIsGone))
})

t.test('who has come back and is removed later is gone at once, while others are still kept', async t => {
  const consul = await startConsul(t)
  for (const ID of ['web-1', 'web-2']) await register(consul, { Name: 'web', ID })
  const { clock, skip } = skippingClock()
  const { catalog } = startCatalog(t, consul.url, { clock })
  await catalog.discover('web')
  await consul.kill()
  await consul.start()
  await until(() => heldIn(catalog, 'web').length === 2, { timeout: 20_000 })
  await register(consul, { Name: 'web', ID: 'web-1' })
  await until(() => String(heldIn(catalog, 'web')) === 'web-2')
  skip(settlingFor)
  await deregister(consul, 'web-1')
  await until(() => String(idsOf(catalog.peek('web'))) === 'web-2')
  t.same(heldIn(catalog, 'web'), ['web-2'])
})

t.test('who has not come back after 30 s, as the leader says too, is gone: one line', async t => {
  const consul = await startConsul(t)
  for (const ID of ['web-1', 'web-2']) await register(consul, { Name: 'web', ID })
  const proxy = await startCountingProxy(t, consul.url)
  const clock = fastClock(20)
  const { catalog, log } = startCatalog(t, proxy.url, { clock })
  const left: string[] = []
  catalog.onLeave(instances => left.push(...idsOf(instances)))
  await catalog.discover('web')
  await until(() => proxy.count() === 2) // Its watch has begun.
  await consul.kill()
  // The 30 s shall not begin before there is a leader to ask.
  const started = consul.start().then(() => undefined)
  proxy.answer = () => started
  await started
  await until(() => heldIn(catalog, 'web').length === 2, { timeout: 20_000 })
  const since = Math.min(...catalog.view('web')!.snapshot!.known.map(({ held }) => held!.since))
  await until(() => idsOf(catalog.peek('web')).length === 0, { timeout: 20_000 })
  t.ok(clock.now() - since >= 30_000)
  t.same(left.toSorted(), ['web-1', 'web-2'])
  t.equal(log().filter(line => line === lastIsGone).length, 1)
  const asked = proxy.requests.map(({ url }) => new URL(url, proxy.url))
    .filter(({ pathname, searchParams }) => pathname.endsWith('/web') && !searchParams.has('stale'))
  t.equal(asked.length, 1, 'the leader was asked once')
  t.notOk(asked[0]?.searchParams.has('index'))
})

t.test('while the leader does not answer, what is missing is kept on', async t => {
  const consul = await startConsul(t)
  await register(consul, { Name: 'web' })
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog } = startCatalog(t, proxy.url, { clock: fastClock(50) })
  await catalog.discover('web')
  await consul.kill()
  let refused = 0
  proxy.answer = ({ url }) => {
    const { pathname, searchParams } = new URL(url, proxy.url)
    if (!pathname.endsWith('/web') || searchParams.has('stale')) return undefined
    refused++
    return { status: 500, body: 'No cluster leader' }
  }
  await consul.start()
  await until(() => refused >= 3, { timeout: 20_000 })
  t.same(idsOf(catalog.peek('web')), ['web'])
  proxy.answer = () => undefined
  await until(() => idsOf(catalog.peek('web')).length === 0, { timeout: 20_000 })
})

t.test('an agent restarted with its data: what it has not checked again yet can be called, and removed', async t => {
  const consul = await startConsul(t, { persist: true })
  const server = createServer((_, response) => response.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  await register(consul, {
    Name: 'web', Check: { HTTP: `http://127.0.0.1:${port}/`, Interval: '240h', Status: 'passing' }
  })
  const { clock, skip } = skippingClock()
  const { catalog } = startCatalog(t, consul.url, { clock })
  const heard: (WireHealthEntry | undefined)[] = []
  catalog.follow('web', ([web]) => heard.push(web))
  const list = await catalog.discover('web')
  await consul.kill()
  await consul.start()
  await until(() => heldIn(catalog, 'web').length === 1, { timeout: 20_000 })
  t.ok(heard.at(-1)?.Checks.some(({ Status, Output }) => Status === 'critical' && Output === ''), 'listed as critical')
  t.equal(catalog.peek('web'), list)
  skip(settlingFor)
  await deregister(consul, 'web')
  await until(() => idsOf(catalog.peek('web')).length === 0)
})

t.test('a policy that is narrowed empties no list, however long, and whatever changes meanwhile', async t => {
  const consul = await startConsul(t, { acl: true })
  await register(consul, { Name: 'web' })
  const nodes = 'node_prefix "" { policy = "read" }'
  await setPolicy(consul, 'reader', `service_prefix "" { policy = "read" } ${nodes}`)
  const { token } = await issueToken(consul, 'reader')
  const proxy = await startCountingProxy(t, consul.url)
  const clock = fastClock(50)
  const { catalog, log } = startCatalog(t, proxy.url, { wait: 200, connection: { token }, clock })
  await catalog.discover('web')
  const seen = observe(t, catalog, 'web')
  await setPolicy(consul, 'reader', `service "other" { policy = "read" } ${nodes}`)
  await until(() => heldIn(catalog, 'web').length === 1)
  const rights = () => proxy.count('/v1/internal/acl/authorize')
  await register(consul, { Name: 'web', ID: 'web-2' })
  await until(() => rights() >= 1 || catalog.view('web')?.filtered, { timeout: 20_000 })
  const from = clock.now()
  await until(() => clock.now() - from > 60_000, { timeout: 20_000 })
  t.same(seen(), ['web'])
  t.same(log().filter(line => line.startsWith('warn')), [partial])

  await setPolicy(consul, 'reader', `service_prefix "" { policy = "read" } ${nodes}`)
  await until(() => String(idsOf(catalog.peek('web'))) === 'web,web-2', { timeout: 20_000 })
  t.same(heldIn(catalog, 'web'), [])
  await until(() => log().includes(again))
})

t.test('rights that come back while the leader is asked do not vouch for what it said without them', async t => {
  const consul = await startConsul(t, { acl: true })
  await register(consul, { Name: 'web' })
  const nodes = 'node_prefix "" { policy = "read" }'
  const all = `service_prefix "" { policy = "read" } ${nodes}`
  await setPolicy(consul, 'reader', all)
  const { token } = await issueToken(consul, 'reader')
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog, log } = startCatalog(t, proxy.url, { wait: 200, connection: { token }, clock: fastClock(50) })
  await catalog.discover('web')
  await setPolicy(consul, 'reader', nodes)
  await until(() => heldIn(catalog, 'web').length === 1)
  proxy.answer = async ({ url }) => {
    if (url.startsWith('/v1/internal/acl/authorize')) await setPolicy(consul, 'reader', all)
    return undefined
  }
  await until(() => heldIn(catalog, 'web').length === 0, { timeout: 20_000 })
  t.same(idsOf(catalog.peek('web')), ['web'])
  t.notOk(log().includes(lastIsGone))
})

t.test('an id that goes over to another service has left the first one, also where its index stands still', async t => {
  const consul = await startConsul(t)
  await register(consul, { Name: 'web', ID: 'one' })
  const { catalog } = startCatalog(t, consul.url, { wait: 200, clock: fastClock(50) })
  const left: string[] = []
  catalog.onLeave(instances => left.push(...instances.map(({ name, id }) => `${name}/${id}`)))
  await catalog.discover('web')
  await register(consul, { Name: 'other', ID: 'one' })
  await until(() => idsOf(catalog.peek('web')).length === 0, { timeout: 20_000 })
  t.same(left, ['web/one'])
})

/** Fakes from here on: what this Consul cannot be brought to say. */

t.test('a list that Consul says is filtered is not believed, and not asked for twice', async t => {
  let [entries, headers]: [WireHealthEntry[], Record<string, string>] = [[entry()], { 'x-consul-index': '7' }]
  let answer: (() => void) | undefined
  const url = await fakeServer(t, ({ url = '' }, response) => {
    const end = (): void => { response.writeHead(200, headers).end(JSON.stringify(entries)) }
    if (url.includes('index=')) answer = end
    else end()
  })
  const { catalog, log } = startCatalog(t, url)
  const list = await catalog.discover('web')
  const show = async (next: typeof entries, more: typeof headers): Promise<void> => {
    ;[entries, headers] = [next, more]
    const { snapshot } = catalog.view('web')!
    const answerOnce = await until(() => answer)
    answer = undefined
    answerOnce()
    await until(() => catalog.view('web')?.snapshot !== snapshot)
  }
  await show([], { 'x-consul-index': '8', 'x-consul-results-filtered-by-acls': 'true' })
  t.equal(catalog.peek('web'), list)
  t.match(catalog.view('web')?.snapshot?.known, [{ listed: false, held: { doubt: 'filtered', until: undefined } }])
  t.equal(catalog.view('web')?.confirmAt, undefined)
  await show([entry()], { 'x-consul-index': '9' })
  t.same(heldIn(catalog, 'web'), [])
  await show([], { 'x-consul-index': '10' })
  t.same(catalog.peek('web'), [])
  t.same(log(), ['info Healthy instances were found', partial, again, lastIsGone])
})

t.test('rights regained are told of, whoever finds that out first', async t => {
  let isAsked = false
  const url = await fakeServer(t, ({ url = '' }, response) => {
    const end = (entries: WireHealthEntry[]): void => {
      response.writeHead(200, { 'x-consul-index': '7' }).end(JSON.stringify(entries))
    }
    if (!url.includes('index=')) return end([entry()])
    if (isAsked) return // The watch waits on.
    isAsked = true
    end([])
  })
  const { catalog, log } = startCatalog(t, url, { clock: fastClock(50) })
  await catalog.discover('web')
  await until(() => heldIn(catalog, 'web').length === 1)
  await until(() => heldIn(catalog, 'web').length === 0)
  t.equal(catalog.peek('web')?.length, 1)
  t.same(log(), ['info Healthy instances were found', partial, again])
})

t.test('a view that was reset, 200 and empty with index 1, is asked again before it counts', async t => {
  const consul = await startConsul(t)
  await register(consul, { Name: 'web' })
  const proxy = await startCountingProxy(t, consul.url)
  let resets = 0
  proxy.answer = ({ url }) => {
    if (!url.includes('index=') || resets > 0) return undefined
    resets++
    return { status: 200, headers: { 'x-consul-index': '1' }, body: '[]' }
  }
  const { catalog } = startCatalog(t, proxy.url)
  const heard: number[] = []
  catalog.follow('web', entries => heard.push(entries.length))
  await until(() => proxy.requests.filter(({ url }) => url.includes('index=')).length === 2)
  t.same(heard, [1, 1])
  t.same(heldIn(catalog, 'web'), [])
  t.same(proxy.requests.map(({ url }) => url.includes('index=')), [false, true, false, true])
})

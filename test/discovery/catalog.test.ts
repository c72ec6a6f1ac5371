import t from 'tap'
import { statusOf } from '../../lib/consul/health-entry.ts'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { until } from '../support/wait.ts'
import { deregister, idsOf, register, setStatus, startCatalog } from './helpers.ts'

const consul = await startConsul(t, { config: { node_name: 'node-1' } })

t.test('a hundred first calls at once are one query, and one watch', async t => {
  await register(consul, { Name: 'shared' })
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog } = startCatalog(t, proxy.url)
  const answers = await Promise.all(Array.from({ length: 100 }, () => catalog.discover('shared')))
  t.equal(new Set(answers).size, 1, 'all have the same array')
  await until(() => proxy.count() === 2)
  t.same(proxy.requests.map(({ url }) => new URL(url, proxy.url).searchParams.has('index')), [false, true])
})

t.test('after the first call ten thousand more cause not one request', async t => {
  await register(consul, { Name: 'busy', Tags: ['x'] })
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog } = startCatalog(t, proxy.url)
  const first = await catalog.discover('busy')
  await until(() => proxy.count() === 2)
  const lists = new Set()
  for (let i = 0; i < 5000; i++) {
    lists.add(await catalog.discover('busy'))
    lists.add(await catalog.discover('busy', { tag: 'x' }))
  }
  t.equal(proxy.count(), 2, 'the first query and the watch')
  t.equal(lists.size, 2)
  t.ok(lists.has(first))
})

t.test('a change in Consul is in the answer within 50 ms', async t => {
  await register(consul, { Name: 'quick' }, 'critical')
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog } = startCatalog(t, proxy.url)
  await register(consul, { Name: 'quick', ID: 'other' })
  t.same(idsOf(await catalog.discover('quick')), ['other'])
  const times: number[] = []
  for (const [round, status] of ['passing', 'critical', 'passing'].entries()) {
    await until(() => proxy.count() === 2 + round)
    const changed = performance.now()
    const written = setStatus(consul, 'quick', status)
    const expected = status === 'passing' ? 2 : 1
    await until(async () => (await catalog.discover('quick')).length === expected, { interval: 1 })
    times.push(performance.now() - changed)
    await written
  }
  t.comment(`seen ${times.map(ms => ms.toFixed(1)).join(', ')} ms after the updates were sent`)
  t.ok(Math.min(...times) < 150, 'the best of three: the machine may be busy with other things')
})

t.test('passing and warning are in; critical and maintenance, of service and node, are out', async t => {
  for (const status of ['passing', 'warning', 'critical']) {
    await register(consul, { Name: 'states', ID: `is-${status}` }, status)
  }
  const { catalog, ids } = startCatalog(t, consul.url)
  const become = (expected: string[]) => until(async () => String(await ids('states')) === String(expected))
  t.same(await ids('states'), ['is-passing', 'is-warning'])
  t.same(await ids('states', { passingOnly: true }), ['is-passing'])
  await setStatus(consul, 'is-warning', 'critical')
  await become(['is-passing'])
  await consul.api('PUT', '/v1/agent/service/maintenance/is-passing?enable=true')
  await become([])
  t.same(catalog.view('states')?.snapshot?.known.map(({ status }) => status), ['critical', 'maintenance', 'critical'])
  await consul.api('PUT', '/v1/agent/service/maintenance/is-passing?enable=false')
  await become(['is-passing'])
  await consul.api('PUT', '/v1/agent/maintenance?enable=true')
  await become([])
  await consul.api('PUT', '/v1/agent/maintenance?enable=false')
  await become(['is-passing'])
})

t.test('passing only can be the default, and be lifted', async t => {
  await register(consul, { Name: 'strict' }, 'warning')
  const { ids } = startCatalog(t, consul.url, { passingOnly: true })
  t.same(await ids('strict'), [])
  t.same(await ids('strict', { passingOnly: false }), ['strict'])
})

t.test('tags are matched in memory; filter, near and datacenter ask Consul', async t => {
  await register(consul, { Name: 'tagged', ID: 't1', Tags: ['a'], Port: 1 })
  await register(consul, { Name: 'tagged', ID: 't2', Tags: ['a', 'b'], Port: 2 })
  const proxy = await startCountingProxy(t, consul.url)
  const { ids } = startCatalog(t, proxy.url)
  t.same(await ids('tagged', { tag: 'b' }), ['t2'])
  await until(() => proxy.count() === 2)
  t.same(await ids('tagged', { tag: 'a' }), ['t1', 't2'])
  t.same(await ids('tagged', { tags: ['b', 'a'] }), ['t2'])
  t.same(await ids('tagged', { tag: 'c' }), [])
  t.equal(proxy.count(), 2)
  t.same(await ids('tagged', { filter: 'Service.Port == 1' }), ['t1'])
  t.same(await ids('tagged', { filter: 'Service.Port == 1', tag: 'b' }), [])
  t.same(await ids('tagged', { near: '_agent' }), ['t1', 't2'])
  t.same(await ids('tagged', { datacenter: 'dc1' }), ['t1', 't2'])
  await until(() => proxy.count() === 8)
  const asked = (name: string) => proxy.requests.filter(({ url }) => new URL(url, proxy.url).searchParams.has(name))
  t.same(['filter', 'near', 'dc'].map(name => asked(name).length), [2, 2, 2], 'each has a watch of its own')
})

t.test('the array stays the same until something changes, and instances stay through refreshes', async t => {
  await register(consul, { Name: 'stable', ID: 's1' })
  await register(consul, { Name: 'stable', ID: 's2' })
  const { catalog } = startCatalog(t, consul.url)
  const before = await catalog.discover('stable')
  t.ok(Object.isFrozen(before))
  t.equal(await catalog.discover('stable'), before)
  t.equal(catalog.peek('stable'), before)
  await setStatus(consul, 's2', 'warning')
  const after = await until(async () => {
    const now = await catalog.discover('stable')
    return now !== before && now
  })
  t.equal(after.find(({ id }) => id === 's1'), before.find(({ id }) => id === 's1'))
  t.match(after.find(({ id }) => id === 's2'), { status: 'warning' })
})

t.test('an instance without an address has its node\'s; one with an IPv6 address has a URL', async t => {
  await register(consul, { Name: 'addressed', ID: 'bare', Port: 1 })
  await register(consul, { Name: 'addressed', ID: 'six', Address: '2001:db8::7', Port: 2 })
  const { catalog } = startCatalog(t, consul.url)
  t.same((await catalog.discover('addressed')).map(({ url }) => url),
    ['http://127.0.0.1:1', 'http://[2001:db8::7]:2'])
})

t.test('an instance that only the catalog knows, without any check, is healthy', async t => {
  await consul.api('PUT', '/v1/catalog/register', {
    Node: 'outside',
    Address: '10.9.9.9',
    Service: { ID: 'ext-1', Service: 'external', Port: 443, Meta: { scheme: 'https' } }
  })
  const { catalog } = startCatalog(t, consul.url)
  t.match(await catalog.discover('external'), [{ node: 'outside', status: 'passing', url: 'https://10.9.9.9:443' }])
})

t.test('who leaves is told, once, when the last list has lost it', async t => {
  await register(consul, { Name: 'leaving', ID: 'l1', Meta: { zone: 'x' } })
  await register(consul, { Name: 'leaving', ID: 'l2' })
  const { catalog, ids } = startCatalog(t, consul.url)
  const left: string[] = []
  const end = catalog.onLeave(instances => left.push(...idsOf(instances)))
  await ids('leaving')
  const filter = 'Service.Meta.zone == "x"'
  t.same(await ids('leaving', { filter }), ['l1'])
  await register(consul, { Name: 'leaving', ID: 'l1' })
  await until(async () => (await ids('leaving', { filter })).length === 0)
  t.same(left, [], 'the other list still has it')
  await deregister(consul, 'l1')
  await until(() => left.length > 0)
  await setStatus(consul, 'l2', 'critical')
  await until(() => left.length > 1)
  t.same(left, ['l1', 'l2'])
  end()
  await setStatus(consul, 'l2', 'passing')
  await until(async () => (await ids('leaving')).length === 1)
  await deregister(consul, 'l2')
  await until(async () => (await ids('leaving')).length === 0)
  t.equal(left.length, 2, 'who has stopped listening is told nothing')
})

t.test('to follow a service is to hear of every answer, also before it exists', async t => {
  const { catalog } = startCatalog(t, consul.url)
  const heard: string[] = []
  const end = catalog.follow('followed', entries => heard.push(entries.map(({ Checks }) => statusOf(Checks)).join()))
  await until(() => heard.length > 0)
  await register(consul, { Name: 'followed' }, 'critical')
  await until(() => heard.at(-1) === 'critical')
  await setStatus(consul, 'followed', 'passing')
  await until(() => heard.at(-1) === 'passing')
  t.equal(heard[0], '')
  t.same(idsOf(catalog.peek('followed')), ['followed'], 'and it is in memory for everyone')
  end()
  const count = heard.length
  await deregister(consul, 'followed')
  await until(() => catalog.peek('followed')?.length === 0)
  t.equal(heard.length, count)

  let others = 0
  catalog.follow('followed', () => { others++ })
  end()
  await register(consul, { Name: 'followed' })
  await until(() => others > 0)
})

t.test('a preloaded service is in memory before anyone asks', async t => {
  await register(consul, { Name: 'preloaded' })
  const { catalog } = startCatalog(t, consul.url)
  catalog.preload('preloaded')
  catalog.preload('not-yet')
  await until(() => catalog.peek('preloaded')?.length === 1)
  await until(() => catalog.peek('not-yet')?.length === 0)
  await register(consul, { Name: 'not-yet' })
  await until(() => catalog.peek('not-yet')?.length === 1)
})

t.test('one line when a service is found and one when its last instance is gone', async t => {
  await register(consul, { Name: 'told', ID: 'told-1' })
  await register(consul, { Name: 'told', ID: 'told-2' })
  const { lines, ids } = startCatalog(t, consul.url)
  await ids('told')
  await deregister(consul, 'told-1')
  await until(async () => (await ids('told')).length === 1)
  await setStatus(consul, 'told-2', 'critical')
  await until(async () => (await ids('told')).length === 0)
  await setStatus(consul, 'told-2', 'passing')
  await until(async () => (await ids('told')).length === 1)
  t.match(lines, [
    { level: 'info', details: { service: 'told', instances: 2 }, message: 'Healthy instances were found' },
    { level: 'warn', details: { service: 'told', known: 1 }, message: 'No healthy instance is left' },
    { level: 'info', details: { service: 'told', instances: 1 }, message: 'Healthy instances were found' }
  ])
  t.equal(lines.length, 3)
})

t.test('after close there is no watch, and discover says so', async t => {
  await register(consul, { Name: 'closing' })
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog, close, ids, log } = startCatalog(t, proxy.url)
  await ids('closing')
  const pending = catalog.discover('closing', { near: '_agent' })
  pending.catch(() => {})
  await close()
  const closed = { code: 'FST_CONSUL_CLOSED', message: 'discover() was called after close()' }
  await t.rejects(pending, closed, 'also what was asked before')
  await t.rejects(catalog.discover('closing'), closed)
  await t.rejects(catalog.discover('never-asked'), closed)
  t.same(idsOf(catalog.peek('closing')), ['closing'], 'calls under way still find their instance')
  const asked = proxy.count()
  catalog.preload('other')
  catalog.follow('another', () => {})
  catalog.peek('closing')
  await consul.api('GET', '/v1/agent/self')
  t.equal(proxy.count(), asked)
  t.same(log().filter(line => line.startsWith('warn')), [])
})

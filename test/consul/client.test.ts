import t from 'tap'
import { ConsulClient } from '../../lib/consul/client.ts'
import { startConsul } from '../support/consul.ts'
import { clientOf, failureOf } from './helpers.ts'

const consul = await startConsul(t, { config: { node_name: 'node-1' } })
const client = clientOf(t, { url: consul.url })

t.test('a deregistered service is gone, and a second time is no error', async t => {
  await client.registerService({ name: 'short', check: { ttl: '1m' } })
  await client.deregisterService('short')
  t.match(await failureOf(client.agentService('short')), {
    code: 'FST_CONSUL_API_NOT_FOUND',
    message: /GET \/v1\/agent\/service\/short .*\(404\): unknown service ID: short$/
  })
  t.same((await client.health('short')).value, [])
  await client.deregisterService('short')
})

t.test('maintenance begins with its reason and ends', async t => {
  await client.registerService({ name: 'kept' })
  await client.setMaintenance('kept', true, 'a new disk & more')
  t.match(await client.agentChecks('kept'), {
    '_service_maintenance:kept': { Status: 'critical', Notes: 'a new disk & more' }
  })
  t.same(await client.discoverService('kept'), [])
  await client.setMaintenance('kept', false)
  t.same(await client.agentChecks('kept'), {})
  t.equal((await client.discoverService('kept')).length, 1)
})

t.test('maintenance of an unknown service is "not found"', async t => {
  await t.rejects(client.setMaintenance('nobody', true), { code: 'FST_CONSUL_API_NOT_FOUND', message: /"nobody"/ })
})

t.test('a TTL check takes status and output', async t => {
  await client.registerService({ name: 'beating', check: { checkId: 'beat', ttl: '1m' } })
  for (const status of ['passing', 'warning', 'critical'] as const) {
    await client.updateCheck('beat', status, `it is ${status}`)
    t.match(await client.agentChecks('beating'), { beat: { Status: status, Output: `it is ${status}` } })
  }
})

t.test('a TTL update of an unknown check is "not found", though Consul says 500', async t => {
  await t.rejects(client.updateCheck('nobody', 'passing', ''), {
    code: 'FST_CONSUL_API_NOT_FOUND',
    message: /\(500\): CheckID "nobody" does not have associated TTL$/
  })
})

t.test('a single check can be dropped', async t => {
  await client.registerService({ name: 'two', checks: [{ checkId: 'x', ttl: '1m' }, { checkId: 'y', ttl: '1m' }] })
  await client.deregisterCheck('x')
  t.same(Object.keys(await client.agentChecks('two')), ['y'])
})

t.test('the checks of a service are found whatever its id', async t => {
  for (const id of ['a b/c', 'a"b', 'a`b', 'a"`b', 'a\\b', 'ü', '%41', '__proto__', 'constructor']) {
    await client.registerService({ name: 'odd', id, check: { ttl: '1m' } })
    t.same(Object.keys(await client.agentChecks(id)), [`service:${id}`], id)
    t.equal((await client.agentService(id)).value.ID, id)
    await client.deregisterService(id)
  }
  t.same(await client.health('odd').then(({ value }) => value), [])
})

t.test('health lists every instance with the node and its checks', async t => {
  await client.registerService({ name: 'ill', port: 1, check: { ttl: '1m', status: 'critical' } })
  const { value, index } = await client.health('ill')
  t.match(value, [{ Node: { Node: 'node-1' }, Service: { ID: 'ill', Port: 1 } }])
  t.same(value[0]?.Checks.map(({ CheckID: id, Status: status }) => [id, status]).sort(),
    [['serfHealth', 'passing'], ['service:ill', 'critical']])
  t.match(index, /^[1-9]\d*$/)
  t.same((await client.health('ill', { passing: true })).value, [])
  t.same((await client.health('unknown')).value, [])
})

t.test('health of a tag, of a filter, by distance', async t => {
  await client.registerService({ name: 'many', id: 'm1', tags: ['a'], meta: { zone: 'x&y' } })
  await client.registerService({ name: 'many', id: 'm2', tags: ['a', 'b'] })
  const ids = async (query: object): Promise<string[]> =>
    (await client.health('many', query)).value.map(({ Service: { ID: id } }) => id)
  t.same(await ids({ tag: 'a' }), ['m1', 'm2'])
  t.same(await ids({ tag: 'b' }), ['m2'])
  t.same(await ids({ filter: 'Service.Meta.zone == "x&y"' }), ['m1'])
  t.same(await ids({ near: '_agent' }), ['m1', 'm2'])
  t.same(await ids({ datacenter: 'dc1', consistency: 'stale' }), ['m1', 'm2'])
  t.same(await ids({ consistency: 'consistent' }), ['m1', 'm2'])
})

t.test('an unknown datacenter and a filter that is none are said in Consul\'s words', async t => {
  await t.rejects(client.health('many', { datacenter: 'mars' }),
    { code: 'FST_CONSUL_API_STATUS', message: /with 500: No path to datacenter$/ })
  await t.rejects(client.health('many', { filter: 'no filter' }),
    { code: 'FST_CONSUL_API_STATUS', message: /Failed to create boolean expression evaluator/ })
})

t.test('with an index health waits for a change', async t => {
  await client.registerService({ name: 'awaited', check: { checkId: 'awaited', ttl: '1m', status: 'critical' } })
  const { index } = await client.health('awaited')
  const next = client.health('awaited', { index, wait: '1m' })
  await client.updateCheck('awaited', 'passing', '')
  const { value, index: newer } = await next
  t.same(value[0]?.Checks.map(({ Status: status }) => status), ['passing', 'passing'])
  t.ok(BigInt(newer!) > BigInt(index!))
})

t.test('with an index health answers without a change after the wait', async t => {
  await client.registerService({ name: 'quiet' })
  const { index } = await client.health('quiet')
  const answer = await client.health('quiet', { index, wait: 10, timeout: 5000 })
  t.equal(answer.index, index)
})

t.test('with a hash the agent waits until its service changes or is forgotten', async t => {
  await client.registerService({ name: 'hashed', port: 1 })
  const { hash, value } = await client.agentService('hashed')
  t.match(value, { ID: 'hashed', Port: 1 })
  const changed = client.agentService('hashed', { hash, wait: '1m' })
  await client.registerService({ name: 'hashed', port: 2 })
  const { value: newer, hash: newHash } = await changed
  t.equal(newer.Port, 2)
  t.not(newHash, hash)
  const forgotten = failureOf(client.agentService('hashed', { hash: newHash, wait: '1m' }))
  await client.deregisterService('hashed')
  t.equal((await forgotten).code, 'FST_CONSUL_API_NOT_FOUND')
})

t.test('services are listed with their tags, whatever they are called', async t => {
  await client.registerService({ name: '__proto__', tags: ['z'] })
  await client.registerService({ name: 'constructor' })
  const services = await client.listServices()
  t.equal(Object.getPrototypeOf(services), null)
  const byName = new Map(Object.entries(services))
  t.same(byName.get('__proto__'), ['z'])
  t.same(byName.get('constructor'), [])
  t.same(byName.get('many')?.toSorted(), ['a', 'b'])
})

t.test('the agent speaks of itself and of its leader', async t => {
  t.match(await client.agentSelf(), {
    Config: { Datacenter: 'dc1', NodeName: 'node-1', Version: String },
    Member: { Name: 'node-1', Addr: '127.0.0.1' }
  })
  t.match(await client.leader(), /^127\.0\.0\.1:\d+$/)
})

t.test('the address by which the agent is reached is known with the first answer', async t => {
  const fresh = clientOf(t, { url: consul.url })
  t.equal(fresh.localAddress, undefined)
  await fresh.leader()
  t.equal(fresh.localAddress, '127.0.0.1')
})

t.test('a script registers, finds and leaves with the client alone', async t => {
  const id = await client.registerService({
    name: 'l02-runtime', id: 'l02-1', address: '10.0.0.9', port: 8002, tags: ['api'], meta: { scheme: 'https' }
  })
  const [instance] = await client.discoverService('l02-runtime', { tag: 'api' })
  t.match(instance, {
    id,
    name: 'l02-runtime',
    address: '10.0.0.9',
    port: 8002,
    tags: ['api'],
    status: 'passing',
    weight: 1,
    node: 'node-1',
    datacenter: 'dc1',
    url: 'https://10.0.0.9:8002'
  })
  t.match(await client.getServiceAddress('l02-runtime'), { address: '10.0.0.9', port: 8002, instance: { id } })
  await client.deregisterService(id)
  t.same(await client.discoverService('l02-runtime'), [])
  t.equal(await client.getServiceAddress('l02-runtime'), null)
})

t.test('passing and warning instances are discovered, critical ones are not', async t => {
  for (const status of ['passing', 'warning', 'critical'] as const) {
    await client.registerService({
      name: 'mixed', id: status, weights: { passing: 10, warning: 3 }, check: { ttl: '1m', status }
    })
  }
  const found = await client.discoverService('mixed')
  t.same(found.map(({ id, status, weight }) => [id, status, weight]),
    [['passing', 'passing', 10], ['warning', 'warning', 3]])
})

t.test('the address is that of an instance drawn by chance', async t => {
  const ids = ['r1', 'r2', 'r3']
  for (const id of ids) await client.registerService({ name: 'drawn', id })
  let chance = 0
  const gambler = new ConsulClient({ url: consul.url }, { random: () => chance })
  t.teardown(() => gambler.close())
  for (const [index, id] of ids.entries()) {
    chance = (index + 0.9) / 3
    t.equal((await gambler.getServiceAddress('drawn'))?.instance.id, id)
  }
})

t.test('names that would ask for something else are refused before they are sent', async t => {
  const paths = ['', '.', '..', '../x', 'a/../b', 'a//b', '/a', 'a/', './a']
  for (const name of [...paths, 'a\nb', 'a\u0000', '\u007f', '\ud800', 'x'.repeat(1001)]) {
    await t.rejects(client.registerService({ name: 'fine', id: name }), { code: 'FST_CONSUL_INVALID_NAME' })
    await t.rejects(client.registerService({ name }), { code: 'FST_CONSUL_INVALID_NAME' }, JSON.stringify(name))
    await t.rejects(client.health(name), { code: 'FST_CONSUL_INVALID_NAME' })
    await t.rejects(client.deregisterService(name), { code: 'FST_CONSUL_INVALID_NAME' })
    await t.rejects(client.updateCheck(name, 'passing', ''), { code: 'FST_CONSUL_INVALID_NAME' })
  }
})

t.test('names with spaces, slashes and other letters are found as they are', async t => {
  for (const name of ['a b', 'a/b', 'größe', '名前', 'a?b#c', 'a%2fb', '...']) {
    await client.registerService({ name, id: `id of ${name}` })
    t.match((await client.discoverService(name))[0], { name, id: `id of ${name}` })
  }
})

t.test('a client without options asks where the environment says', async t => {
  t.throws(() => clientOf(t, { url: 'nowhere' }), { code: 'FST_CONSUL_INVALID_OPTION' })
  process.env['CONSUL_URL'] = consul.url
  t.teardown(() => { delete process.env['CONSUL_URL'] })
  t.equal((await clientOf(t, {}).agentSelf()).Config.NodeName, 'node-1')
})

t.test('a client ends with its block where the language has that', async t => {
  const fresh = new ConsulClient({ url: consul.url })
  await fresh.leader()
  await fresh[Symbol.asyncDispose]()
  await t.rejects(fresh.leader(), { code: 'FST_CONSUL_CLOSED' })
})

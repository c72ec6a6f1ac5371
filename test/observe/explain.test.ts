import t from 'tap'
import { testRegistry } from '../lifecycle/registry.ts'
import { startConsul } from '../support/consul.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/wait.ts'

const consul = await startConsul(t)
const { url, api } = consul

async function register (name: string, id: string, status: string, more: object = {}): Promise<void> {
  const check = { CheckID: `check-${id}`, Name: 'disk', TTL: '10m', Status: status }
  await api('PUT', '/v1/agent/service/register', {
    ID: id, Name: name, Address: '10.0.0.1', Port: 80, Check: check, ...more
  })
}

t.test('every known instance is in or out for a reason', async t => {
  await register('mixed', 'good', 'passing', { Tags: ['v1'] })
  await register('mixed', 'weak', 'passing') // An output reaches the catalog at once only with a change of status.
  await register('mixed', 'bad', 'passing')
  await register('mixed', 'resting', 'passing')
  await api('PUT', '/v1/agent/check/update/check-weak', { Status: 'warning', Output: 'disk is at 90 %\n' })
  await api('PUT', '/v1/agent/check/update/check-bad', { Status: 'critical', Output: 'disk is full' })
  await api('PUT', '/v1/agent/service/maintenance/resting?enable=true&reason=new%20disk')
  const { registry } = testRegistry(t, 'observer', 1, { url })
  await registry.discover('mixed')
  const { instances, ...rest } = registry.explain('mixed')
  t.match(rest, { service: 'mixed', source: 'consul', watch: 'watched', staleFor: 0, error: undefined })
  t.ok(Number(rest.age) >= 0)
  const reasons = Object.fromEntries(instances.map(({ id, callable, reason }) => [id, [callable, reason]]))
  t.same(reasons, {
    good: [true, 'passing'],
    weak: [true, 'warning (disk: disk is at 90 %)'],
    bad: [false, 'critical (disk: disk is full)'],
    resting: [false, 'in maintenance (Service Maintenance Mode: new disk)']
  })
  t.match(instances[0], { address: '10.0.0.1:80', node: /./ })

  const out = (query: object): string[] => registry.explain('mixed', query).instances
    .filter(({ callable, reason }) => !callable && reason.startsWith('does not have')).map(({ id }) => id).sort()
  t.same(out({ tag: 'v1' }), ['weak'])
  t.same(out({ tags: ['v1', 'v2'] }), ['good', 'weak'])
  t.same(out({ passingOnly: true }), ['weak'])
})

t.test('an address that is left to the agent is the node\'s', async t => {
  await register('bare', 'bare', 'passing', { Address: '' })
  const { registry } = testRegistry(t, 'observer', 1, { url })
  await registry.discover('bare')
  t.match(registry.explain('bare').instances, [{ address: '127.0.0.1:80' }])
})

t.test('an IPv6 address stands in brackets, as callers use it', async t => {
  await register('six', 'six', 'passing', { Address: 'fd00::1' })
  const { registry } = testRegistry(t, 'observer', 1, { url })
  await registry.discover('six')
  t.match(registry.explain('six').instances, [{ address: '[fd00::1]:80' }])
})

t.test('what was never asked for comes from the fallback, or from nowhere', async t => {
  const { registry } = testRegistry(t, 'observer', 1, { url, fallback: { spare: ['http://10.0.0.2:81'] } })
  t.same(registry.explain('spare'), {
    service: 'spare',
    source: 'fallback',
    watch: 'none',
    age: undefined,
    staleFor: undefined,
    tooOld: false,
    partial: false,
    error: undefined,
    waiting: 0,
    compared: undefined,
    notCompared: undefined,
    instances: [{
      id: 'http://10.0.0.2:81',
      node: '',
      address: '10.0.0.2:81',
      callable: true,
      reason: 'listed in fallback',
      keptFor: undefined
    }]
  })
  t.match(registry.explain('unheard-of'), { source: 'nowhere', instances: { length: 0 } })
})

t.test('in an outage it says for how long changes may have been missed, and why', async t => {
  const own = await startConsul(t)
  await own.api('PUT', '/v1/agent/service/register', { Name: 'kept', Port: 80 })
  const { registry } = testRegistry(t, 'observer', 1, { url: own.url })
  await registry.discover('kept')
  await own.kill()
  await until(() => (registry.explain('kept').staleFor ?? 0) > 20)
  t.match(registry.explain('kept'), {
    source: 'consul', error: /Consul did not answer/, instances: [{ callable: true }]
  })
})

t.test('an instance that discovery.passingOnly leaves out is out', async t => {
  await register('weakened', 'limping', 'warning')
  const { registry } = testRegistry(t, 'observer', 1, { url, discovery: { passingOnly: true } })
  t.same(await registry.discover('weakened'), [])
  t.match(registry.explain('weakened').instances, [{ callable: false, reason: /the status that is asked for/ }])
  t.match(registry.explain('weakened', { passingOnly: false }).instances, [{ callable: true }])
})

t.test('of a service that Consul has never told of it says why', async t => {
  const nobody = `http://127.0.0.1:${await freePort()}`
  const { registry } = testRegistry(t, 'observer', 1, { url: nobody, fallback: { spare: 'http://10.0.0.2:81' } })
  await registry.discover('spare')
  t.match(registry.explain('spare'), { source: 'fallback', error: /ECONNREFUSED/, instances: [{ callable: true }] })
  await t.rejects(registry.discover('missed'), { code: 'FST_CONSUL_UNAVAILABLE' })
  t.match(registry.explain('missed'), { source: 'nowhere', instances: { length: 0 } })
})

t.test('what Consul does not list is explained by the fallback, except in mode full, which has none', async t => {
  const fallback = { spare: 'http://10.0.0.2:81' }
  const { registry } = testRegistry(t, 'observer', 1, { url, fallback })
  t.match(await registry.discover('spare'), [{ address: '10.0.0.2' }])
  t.match(registry.explain('spare'), { source: 'fallback', instances: [{ reason: 'listed in fallback' }] })

  const { registry: strict } = testRegistry(t, 'observer', 1, { url, fallback, mode: 'full' })
  t.match(strict.explain('spare'), { source: 'nowhere', instances: { length: 0 } })
  t.same(await strict.discover('spare'), [])
  t.match(strict.explain('spare'), { source: 'consul', instances: { length: 0 } })
})

t.test('what an agent that was restarted empty does not list is in, kept for so long and why', async t => {
  const own = await startConsul(t)
  await own.api('PUT', '/v1/agent/service/register', { Name: 'kept', Port: 80 })
  const { registry } = testRegistry(t, 'observer', 1, { url: own.url })
  await registry.discover('kept')
  await own.kill()
  await own.start()
  const [kept] = await until(() => {
    const { instances } = registry.explain('kept')
    return instances[0]?.keptFor !== undefined && instances
  }, { timeout: 20_000 })
  t.match(kept, {
    callable: true,
    reason: /^passing; kept for \d+ s: it is missing since .*, until Consul confirms it in \d+ s$/
  })
})

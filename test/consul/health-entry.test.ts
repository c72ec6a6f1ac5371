import t from 'tap'
import { instanceOf, isHealthAnswer, statusOf } from '../../lib/consul/health-entry.ts'
import type { WireCheck } from '../../lib/consul/wire.ts'
import { check, entry } from './wire-entries.ts'

const maintenance = check('critical', '_service_maintenance:a')
const nodeMaintenance = check('critical', '_node_maintenance')

const statuses: [what: string, checks: WireCheck[], status: string][] = [
  ['no check at all', [], 'passing'],
  ['passing checks', [check('passing'), check('passing', 'serfHealth')], 'passing'],
  ['one warning', [check('passing'), check('warning', 'disk')], 'warning'],
  ['a warning and a critical one', [check('critical'), check('warning', 'disk')], 'critical'],
  ['a lost node', [check('passing'), check('critical', 'serfHealth')], 'critical'],
  ['maintenance of the service', [check('passing'), maintenance], 'maintenance'],
  ['maintenance of the node', [nodeMaintenance, check('passing')], 'maintenance'],
  ['maintenance of something critical', [check('critical'), maintenance], 'maintenance'],
  ['maintenance that is not called so', [check('critical', '_service_maintenance')], 'critical']
]

for (const [what, checks, status] of statuses) {
  t.test(`${what} is ${status}`, async t => {
    t.equal(statusOf(checks), status)
  })
}

t.test('an instance has everything that Consul says of it', async t => {
  const instance = instanceOf(entry({
    Tags: ['x', 'y'], Meta: { zone: 'a' }, Weights: { Passing: 10, Warning: 3 }, Port: 8080
  }), 'warning', 'unused')
  t.match(instance, {
    id: 'a',
    name: 'web',
    address: '10.0.0.2',
    port: 8080,
    tags: ['x', 'y'],
    meta: { zone: 'a' },
    status: 'warning',
    weight: 3,
    weights: { passing: 10, warning: 3 },
    scheme: 'http',
    node: 'node-1',
    datacenter: 'dc1',
    url: 'http://10.0.0.2:8080'
  })
})

t.test('nothing of an instance can be changed', async t => {
  const { tags, meta, weights } = instanceOf(entry({ Tags: ['x'], Meta: { zone: 'a' } }), 'passing', '')
  for (const part of [instanceOf(entry(), 'passing', ''), tags, meta, weights]) t.ok(Object.isFrozen(part))
  t.equal(Object.getPrototypeOf(meta), null, 'meta may have any name')
})

t.test('an empty service address is the node\'s', async t => {
  t.equal(instanceOf(entry({ Address: '' }), 'passing', '').address, '10.0.0.1')
})

t.test('what Consul leaves out has its default', async t => {
  const bare = entry({ Tags: null, Meta: null, Weights: null })
  const { Port: port, ...service } = bare.Service
  const { Datacenter: datacenter, ...node } = bare.Node
  t.match(instanceOf({ ...bare, Service: service, Node: node }, 'passing', 'dc9'), {
    tags: [], meta: {}, weight: 1, weights: { passing: 1, warning: 1 }, port: 0, datacenter: 'dc9'
  })
})

const urls: [address: string, meta: Record<string, string>, url: string][] = [
  ['10.0.0.2', {}, 'http://10.0.0.2:80'],
  ['host.test', { scheme: 'https' }, 'https://host.test:80'],
  ['host.test', { scheme: 'gopher' }, 'http://host.test:80'],
  ['2001:db8::1', {}, 'http://[2001:db8::1]:80'],
  ['::1', { scheme: 'https' }, 'https://[::1]:80']
]

for (const [address, meta, url] of urls) {
  t.test(`the URL at ${address} ${JSON.stringify(meta)} is ${url}`, async t => {
    const instance = instanceOf(entry({ Address: address, Meta: meta }), 'passing', '')
    t.equal(instance.url, url)
    t.equal(instance.address, address)
    t.ok(URL.canParse(instance.url))
  })
}

t.test('only a list of entries is taken for an answer', async t => {
  t.ok(isHealthAnswer([]))
  t.ok(isHealthAnswer([entry(), entry()]))
  for (const value of [undefined, null, {}, 'a', [null], [[]], [{}], [entry(), { ...entry(), Node: null }]]) {
    t.notOk(isHealthAnswer(value), JSON.stringify(value))
  }
})

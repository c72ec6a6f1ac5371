import { join } from 'node:path'
import { Registry } from 'prom-client'
import t from 'tap'
import { InvalidOptionError } from '../../lib/errors.ts'
import { allOf, anyOf, optional } from '../../lib/health/combine.ts'
import { optionPaths, resolveOptions } from '../../lib/options/resolve.ts'
import type { ConsulOptions } from '../../lib/options/types.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { certificateAuthority } from '../support/certificates.ts'
import { nested, pick } from '../support/option-objects.ts'

// lib/options/schema.ts

const resolve = (options: unknown) => resolveOptions(options, { environment: {} })

const check = { name: 'database', run: async () => {} }
const combined = [allOf('all', [check]), optional(anyOf('any', [check])), optional(check)]
const { logger } = collectingLogger()
const register = new Registry()
const ca = await certificateAuthority()
const { cert, key } = await ca.issue('client')
const strategy = () => undefined
const token = async () => 'secret'
const https = { url: 'https://consul:8501' }
const tokenFile = join(t.testdir({ token: 'secret\n' }), 'token')
const named = { service: { name: 'a' } }

/** Every option: where it is, what may be given, what it resolves to (there, or where the last column says). */
const rows: [path: string, given: unknown, resolved: unknown, beside?: object, at?: string][] = [
  ['url', 'http://consul:8500', 'http://consul:8500'],
  ['url', 'https://proxy/consul/', 'https://proxy/consul'],
  ['url', 'http://[::1]:8500', 'http://[::1]:8500'],
  ['url', 'http://me:p%40ss@consul:8500/', 'http://consul:8500'],
  ['url', 'http://me:p%40ss@consul:8500/', 'me:p@ss', {}, 'auth'],
  ['url', 'unix:///run/consul.sock', 'http://localhost'],
  ['url', 'unix:///run/consul.sock', '/run/consul.sock', {}, 'socketPath'],
  ['token', 'secret', { kind: 'value', value: 'secret' }],
  ['token', token, { kind: 'function', get: token }],
  ['tokenFile', tokenFile, { kind: 'file', path: tokenFile }, {}, 'token'],
  ['tls.ca', ca.ca, ca.ca, https],
  ['tls.cert', cert, cert, { ...https, tls: { key } }],
  ['tls.key', key, key, { ...https, tls: { cert } }],
  ['tls.servername', 'server.dc1.consul', 'server.dc1.consul', https],
  ['tls.rejectUnauthorized', false, false, https],
  ['datacenter', 'dc2', 'dc2'],
  ['namespace', 'team', 'team'],
  ['partition', 'part', 'part'],
  ['timeout', 1500, 1500],
  ['timeout', '1m30s', 90_000],
  ['mode', 'static', 'static'],
  ['mode', 'register', 'register'],
  ['mode', 'full', 'full'],
  ['fallback', { a: 'http://a:1', b: ['http://b:1/', 'https://b'] },
    { a: ['http://a:1'], b: ['http://b:1', 'https://b'] }],
  ['service', false, false],
  ['service.name', 'l01-data-layer', 'l01-data-layer', named],
  ['service.id', 'a-1', 'a-1', named],
  ['service.port', 8001, 8001, named],
  ['service.address', '10.0.0.7', '10.0.0.7', named],
  ['service.address', 'fd00::7', 'fd00::7', named],
  ['service.address', 'a.example.org', 'a.example.org', named],
  ['service.tags', ['api', 'v1'], ['api', 'v1'], named],
  ['service.meta', { version: '1.2.3' }, { version: '1.2.3' }, named],
  ['service.weights', { passing: 10 }, { passing: 10, warning: 1 }, named],
  ['service.weights', { passing: 65535, warning: 0 }, { passing: 65535, warning: 0 }, named],
  ['service.enableTagOverride', true, true, named],
  ['service.taggedAddresses', { lan: { address: '10.0.0.7', port: 1 }, wan: { address: 'a.example.org' } },
    { lan: { address: '10.0.0.7', port: 1 }, wan: { address: 'a.example.org' } }, named],
  ['service.registerOn', 'ready', 'ready', { service: { name: 'a', port: 8001 } }],
  ['check.type', 'tcp', 'tcp'],
  ['check.type', 'grpc', 'grpc'],
  ['check.type', 'ttl', 'ttl'],
  ['check.path', '/ready?deep=1', '/ready?deep=1'],
  ['check.interval', '2s', 2000],
  ['check.timeout', '500ms', 500],
  ['check.deregisterAfter', '90m', 5_400_000],
  ['check.headers', { authorization: 'Bearer x', 'x-two': ['1', '2'] },
    { authorization: ['Bearer x'], 'x-two': ['1', '2'] }],
  ['check.tlsSkipVerify', true, true],
  ['check.successBeforePassing', 2, 2],
  ['check.failuresBeforeCritical', 3, 3],
  ['health', false, false],
  ['health.readyPath', '/ready', '/ready'],
  ['health.livePath', '/live', '/live'],
  ['health.checks', [check], [check]],
  ['health.checks', combined, combined],
  ['underPressure.exposeStatusRoute', '/status', '/status'],
  ['health.timeout', '2s', 2000],
  ['health.cacheFor', 0, 0],
  ['health.details', 'full', 'full'],
  ['health.details', false, false],
  ['underPressure', false, false],
  ['underPressure.maxEventLoopDelay', 0, 0],
  ['underPressure', { maxHeapUsedBytes: 5 }, { maxEventLoopDelay: 1000, maxHeapUsedBytes: 5 }],
  ['discovery.preload', ['a', 'b'], ['a', 'b']],
  ['discovery.wait', '10m', 600_000],
  ['discovery.maxStale', '1h', 3_600_000],
  ['discovery.idleAfter', '1m', 60_000],
  ['discovery.maxWatches', 8, 8],
  ['discovery.consistency', 'consistent', 'consistent'],
  ['discovery.consistency', 'default', 'default'],
  ['discovery.passingOnly', true, true],
  ['balancer.strategy', 'random', 'random'],
  ['balancer.strategy', 'first', 'first'],
  ['balancer.strategy', strategy, strategy],
  ['balancer.warningShare', 0, 0],
  ['calls.timeout', '10s', 10_000],
  ['calls.deadline', '1m', 60_000],
  ['calls.connectTimeout', 250, 250],
  ['calls.retries', 0, 0],
  ['calls.retryBudget.ratio', 0.5, 0.5],
  ['calls.retryBudget', { perSecond: 0 }, { ratio: 0.2, perSecond: 0 }],
  ['calls.retryBudget.perSecond', 3, 3],
  ['calls.connections', 8, 8],
  ['calls.outlier', false, false],
  ['calls.outlier.consecutiveFailures', 1, 1],
  ['calls.outlier.successRate', 0, 0],
  ['calls.outlier.ejectionTime', '30s', 30_000],
  ['calls.outlier.maxEjectionTime', '1h', 3_600_000],
  ['calls.outlier.maxEjected', 1, 1],
  ['calls.tls.ca', ca.ca, ca.ca],
  ['calls.tls.cert', cert, cert, { calls: { tls: { key } } }],
  ['calls.tls.key', key, key, { calls: { tls: { cert } } }],
  ['calls.tls.servername', 'a', 'a'],
  ['calls.tls.rejectUnauthorized', false, false],
  ['calls.allow', ['a', 'L02_runtime', 'Größe', '名前', '1'], ['a', 'L02_runtime', 'Größe', '名前', '1']],
  ['drain.delay', '1s', 1000],
  ['drain.timeout', '5s', 5000],
  ['metrics', false, false],
  ['metrics', { register }, register, {}, 'metrics.register'],
  ['logger', logger, logger]
]

for (const [path, given, resolved, beside = {}, at = path] of rows) {
  const form = typeof given === 'string' ? given.split('\n')[0] : typeof given
  t.test(`${path} can be ${form}, seen at ${at}`, async t => {
    t.same(pick(resolve(nested(path, given, beside)), at), resolved)
  })
}

t.test('the rows above name every option', async t => {
  const covered = new Set(rows.map(([path]) => path))
  t.same(optionPaths.filter(path => !covered.has(path)), [])
})

// lib/options/names.ts

const messageOf = (options: object) => {
  try {
    resolveOptions(options, { environment: {} })
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error
    return error.message
  }
  return 'accepted'
}

t.test('an unknown option is refused at any depth, with the name that was meant', async t => {
  const rows: [options: object, name: string, meant: string][] = [
    [{ tokne: 'x' }, 'tokne', 'token'],
    [{ URL: 'x' }, 'URL', 'url'],
    [{ tokenfile: 'x' }, 'tokenfile', 'tokenFile'],
    [{ drian: {} }, 'drian', 'drain'],
    [{ drain: { dealy: 1 } }, 'drain.dealy', 'delay'],
    [{ calls: { tls: { rejectUnauthorised: false } } }, 'calls.tls.rejectUnauthorised', 'rejectUnauthorized'],
    [{ service: { weights: { pasing: 1 } } }, 'service.weights.pasing', 'passing'],
    [{ service: { taggedAddresses: { lan: { adress: 'a' } } } }, 'service.taggedAddresses.lan.adress', 'address'],
    [{ underPressure: { maxHeapUsedByte: 1 } }, 'underPressure.maxHeapUsedByte', 'maxHeapUsedBytes'],
    [{ interval: '5s' }, 'interval', 'check.interval'],
    [{ strategy: 'random' }, 'strategy', 'balancer.strategy']
  ]
  for (const [options, name, meant] of rows) {
    t.equal(messageOf(options), `${name} must be a known option (did you mean ${meant}?), got another name`)
  }
})

t.test('a name that is far from all is refused with those known in its place', async t => {
  t.equal(messageOf({ drain: { sleep: 1 } }),
    'drain.sleep must be one of the known options (delay, timeout), got another name')
  t.match(messageOf({ constructor: 1 }), /^constructor must be one of the known options \(url, token, /)
  t.match(messageOf(JSON.parse('{"__proto__":1}')), /^__proto__ must be one of the known options/)
  t.match(messageOf({ drain: JSON.parse('{"__proto__":1}') }), /^drain.__proto__ must be one of the known options/)
})

t.test('the unknown name is told before what is wrong besides', async t => {
  t.match(messageOf({ timeout: 'x', drain: { dealy: 'x', delay: 'x' } }), /^drain\.dealy must be /)
})

// lib/options/types.ts

/** Type checked only: each marked line must be an error to the compiler. */
const refused: ConsulOptions[] = [
  // @ts-expect-error unknown option
  { drian: {} },
  // @ts-expect-error wrong type
  { timeout: true },
  // @ts-expect-error unknown mode
  { mode: 'hybird' },
  // @ts-expect-error a map, not a list
  { service: { name: 'a', meta: ['k=v'] } },
  // @ts-expect-error without a register
  { metrics: {} },
  // @ts-expect-error false or an object
  { metrics: true },
  // @ts-expect-error false or an object
  { calls: { outlier: true } },
  // @ts-expect-error unknown strategy
  { balancer: { strategy: 'least-requests' } }
]

const accepted: ConsulOptions[] = [
  {},
  { token: undefined, service: false, health: false, underPressure: false },
  { token: async () => 'x', timeout: '5s', calls: { allow: ['a'] as const } },
  { service: { name: 'a', tags: ['x'] as const, weights: { warning: 0 } }, check: { headers: { a: ['b'] } } },
  { metrics: { register } },
  { balancer: { strategy: (instances, { service }) => instances.find(({ name }) => name === service) } }
]

t.test('what the compiler refuses is refused, and what it accepts is accepted', async t => {
  for (const options of refused) {
    t.throws(() => resolveOptions(options, { environment: {} }), { code: 'FST_CONSUL_INVALID_OPTION' })
  }
  for (const options of accepted) t.doesNotThrow(() => resolveOptions(options, { environment: {} }))
})

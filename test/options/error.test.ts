import * as fc from 'fast-check'
import { register } from 'prom-client'
import t from 'tap'
import { variables } from '../../lib/options/environment.ts'
import { InvalidOptionError } from '../../lib/errors.ts'
import { optionPaths, resolveOptions } from '../../lib/options/resolve.ts'
import { nested } from '../support/option-objects.ts'

const messageOf = (options: unknown, environment = {}): string => {
  try {
    resolveOptions(options, { environment })
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error
    return error.message
  }
  return 'accepted'
}

const notAString = [5, true, [], {}]
const notAFlag = ['true', 0, {}]
const notADuration = ['soon', '1d', -1, NaN, Infinity, '600h', true, {}]
const notACount = ['5', -1, 1.5, NaN, Infinity, true, {}]
const notAList = ['a', 5, {}, [5], ['']]
const notAName = [...notAString, '', '.', '..', 'a\nb', 'a\u0000', 'a\ud800', 'a/../b', 'a//b', 'x'.repeat(1001)]
const notPem = [5, true, {}, '']

/** For every option what it cannot be. */
const rows: Record<string, unknown[]> = {
  url: [...notAString, '', 'consul:8500', 'ftp://consul', 'http://', 'http://consul:99999', 'http://consul:0',
    'http://consul/?dc=1', 'http://consul/#x', 'http:///run/consul.sock', 'unix://relative', 'http://%zz@consul'],
  token: [5, true, {}, '', 'a b', 'a\n'],
  tokenFile: [...notAString, '', '/nowhere/token'],
  'tls.ca': notPem,
  'tls.cert': notPem,
  'tls.key': notPem,
  'tls.servername': [...notAString, ''],
  'tls.rejectUnauthorized': notAFlag,
  datacenter: [...notAString, ''],
  namespace: [...notAString, ''],
  partition: [...notAString, ''],
  timeout: [...notADuration, 0],
  mode: ['Full', '', 5, {}],
  fallback: ['http://a', 5, [], new Map(), { a: [] }, { a: 5 }, { a: ['x'] }, { a: 'http://a/path' },
    { '..': 'http://a' }],
  service: ['a', 5, true, []],
  'service.name': notAName,
  'service.id': notAName,
  'service.port': [...notACount, 65536],
  'service.address': [...notAString, '', '0.0.0.0', '::', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0', '[::1]', 'host:80',
    'http://host', 'fe80::1%eth0', 'a b'],
  'service.tags': notAList,
  'service.meta': ['a=b', 5, [], { 'a b': 'c' }, { 'consul-x': 'c' }, { ['k'.repeat(129)]: 'c' }, { a: 5 },
    { a: 'v'.repeat(513) }, Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, 'v']))],
  'service.weights': [5, [], { passing: 0 }, { passing: 65536 }, { warning: -1 }, { passing: '1' }, { critical: 1 }],
  'service.enableTagOverride': notAFlag,
  'service.taggedAddresses': [5, [], { lan: 'a' }, { lan: {} }, { lan: { address: '::' } },
    { lan: { address: 'a', port: -1 } }, { lan: { address: 'a', prot: 1 } }],
  'service.registerOn': ['listen', true],
  'check.type': ['https', 5, ''],
  'check.path': [...notAString, '', 'ready', '/a b'],
  'check.interval': [...notADuration, '999ms'],
  'check.timeout': [...notADuration, 0],
  'check.deregisterAfter': [...notADuration, '59s'],
  'check.headers': ['a: b', 5, [], { 'a b': 'c' }, { a: 5 }, { a: [] }, { a: 'b\nc' }],
  'check.tlsSkipVerify': notAFlag,
  'check.successBeforePassing': notACount,
  'check.failuresBeforeCritical': notACount,
  'health.readyPath': [...notAString, '', 'ready', '/a b', '/:id', '/*'],
  'health.livePath': [...notAString, '', 'live'],
  'health.checks': ['a', {}, [5], [{}], [{ name: 'a' }], [{ name: '', run () {} }], [{ name: 'a', run: 5 }],
    [{ name: 'a', run () {}, critical: 'yes' }], [{ name: 'a', run () {}, timeout: 'soon' }]],
  'health.timeout': [...notADuration, 0],
  'health.cacheFor': notADuration,
  'health.details': ['all', true, 5],
  'underPressure.maxEventLoopDelay': ['1s', -1, NaN, {}],
  'underPressure.sampleInterval': ['1s', 0, 2 ** 31],
  'underPressure.healthCheckInterval': ['1s', 0, 2 ** 31],
  'underPressure.exposeStatusRoute': [5, []],
  'underPressure.customError': ['x', new Error('x')],
  'discovery.preload': [...notAList, ['..']],
  'discovery.wait': [...notADuration, 0, '11m'],
  'discovery.maxStale': [...notADuration, 0],
  'discovery.idleAfter': [...notADuration, 0],
  'discovery.maxWatches': [...notACount, 0],
  'discovery.consistency': ['strong', true],
  'discovery.passingOnly': notAFlag,
  'balancer.strategy': ['roundrobin', 5, {}],
  'balancer.warningShare': ['0.1', -0.1, 1.1, NaN],
  'calls.outlier': [true, 1, []],
  'calls.outlier.consecutiveFailures': [...notACount, 0],
  'calls.outlier.successRate': ['0.5', -0.1, 1.1],
  'calls.outlier.ejectionTime': [...notADuration, 0],
  'calls.outlier.maxEjectionTime': [...notADuration, 0],
  'calls.outlier.maxEjected': [-0.1, 1.1],
  'calls.timeout': [...notADuration, 0],
  'calls.deadline': [...notADuration, 0],
  'calls.connectTimeout': [...notADuration, 0],
  'calls.retries': [...notACount, 101],
  'calls.retryBudget.ratio': ['0.2', -0.1, 1001, NaN],
  'calls.retryBudget.perSecond': ['10', -1, 1_000_001, NaN],
  'calls.connections': [...notACount, 0],
  'calls.tls.ca': notPem,
  'calls.tls.cert': notPem,
  'calls.tls.key': notPem,
  'calls.tls.servername': [...notAString, ''],
  'calls.tls.rejectUnauthorized': notAFlag,
  'calls.allow': [...notAList, ['*'], ['a b'], ['a.b'], ['a/b'], ['a:1'], ['']],
  'drain.delay': notADuration,
  'drain.timeout': notADuration,
  metrics: [true, 'on', [], {}, { register: {} }, { register: 'x' }],
  logger: ['pino', 5, {}, { info () {} }]
}

const sections = [
  'tls', 'check', 'drain', 'discovery', 'balancer', 'calls', 'calls.retryBudget', 'calls.tls', 'health', 'underPressure'
]

for (const [path, values] of Object.entries(rows)) {
  t.test(`${path} of the wrong kind is refused by name`, async t => {
    for (const value of [null, ...values]) {
      const message = messageOf(nested(path, value))
      t.ok(message.startsWith(path) && / must be .+, got ./.test(message), `${path}: ${message}`)
    }
  })
}

t.test('the rows above are about every option', async t => {
  t.same(optionPaths.filter(path => !(path in rows)), [])
})

t.test('a section that is no object is refused by name', async t => {
  for (const section of sections) {
    for (const value of [null, 5, true, 'x', [], new Map()]) {
      t.match(messageOf(nested(section, value)), new RegExp(`^${section} must be .*plain object, got `))
    }
  }
  for (const options of [null, 5, 'x', [], () => {}]) {
    t.match(messageOf(options), /^options must be an object, got (null|5|'x'|an array|a function)$/)
  }
})

t.test('a message says what was expected and what came', async t => {
  const duration = 'a duration from 1ms to 596h (milliseconds, or a Go duration such as "1m30s")'
  t.equal(messageOf({ timeout: '1d' }), `timeout must be ${duration}, got '1d'`)
  t.equal(messageOf({ service: { port: 65536 } }), 'service.port must be a whole number from 0 to 65535, got 65536')
  t.equal(messageOf({ service: { tags: ['a', 5] } }), 'service.tags.1 must be a string, got 5')
  t.equal(messageOf({ mode: 'Full' }), 'mode must be one of "static", "register", "hybrid", "full", got \'Full\'')
  t.equal(messageOf({ fallback: new Map() }), 'fallback must be a plain object, got an object (Map)')
  t.equal(messageOf({ fallback: { a: 'b:1' } }),
    'fallback.a must be a URL of the form http(s)://host:port, and no more, got \'b:1\'')
  t.equal(messageOf({ fallback: { a: ['http://a', 'b:1'] } }),
    'fallback.a.1 must be a URL of the form http(s)://host:port, and no more, got \'b:1\'')
  t.equal(messageOf({ check: { headers: { a: 'b\n' } } }),
    'check.headers must be a string that a header may hold, got a string (not shown)')
  t.equal(messageOf({ namespace: 'a\n' }),
    'namespace must be a string that is not empty and has no control characters, got \'a\\n\'')
  t.equal(messageOf({ service: { taggedAddresses: { lan: {} } } }),
    'service.taggedAddresses.lan.address must be set, got undefined')
})

t.test('a long value is cut', async t => {
  t.match(messageOf({ mode: 'x'.repeat(10_000) }), /got 'x{100}…'$/)
})

t.test('what is no register of prom-client is refused', async t => {
  t.equal(messageOf({ metrics: true }), 'metrics must be false or a plain object, got true')
  t.equal(messageOf({ metrics: {} }), 'metrics.register must be set, got undefined')
  t.equal(messageOf({ metrics: { register: 'x' } }),
    'metrics.register must be a Registry of prom-client, got \'x\'')
  t.equal(messageOf({ metrics: { register: {} } }), 'metrics.register.registerMetric must be set, got undefined')
  t.equal(messageOf({ metrics: { register, prefix: 'x' } }),
    'metrics.prefix must be one of the known options (register), got another name')
  t.equal(messageOf({ metrics: { register } }), 'accepted')
  t.equal(messageOf({ metrics: false }), 'accepted')
})

t.test('a name in a map that cannot be is refused, and a header is not shown by its name either', async t => {
  t.equal(messageOf({ service: { meta: { 'a b': 'c' } } }),
    'service.meta.a b must be named with 1 to 128 of a-z A-Z 0-9 _ - and not begin with "consul-", got another name')
  t.equal(messageOf({ check: { headers: { 'authorization: Bearer x': '' } } }),
    'check.headers must be named as a header may be, got another name')
})

t.test('whatever is given, the answer is options or this error', async t => {
  const value = fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true })
  const text = fc.string({ unit: 'binary' })
  const property = fc.property(fc.constantFrom(...optionPaths, ...sections), fc.oneof(value, text), (path, value) => {
    messageOf(nested(path, value))
    messageOf(value)
  })
  const variable = fc.property(fc.constantFrom(...variables.map(([name]) => name)), text, (name, value) => {
    messageOf({}, { [name]: value })
  })
  t.doesNotThrow(() => fc.assert(property, { seed: 1, numRuns: 2000 }))
  t.doesNotThrow(() => fc.assert(variable, { seed: 1, numRuns: 2000 }))
})

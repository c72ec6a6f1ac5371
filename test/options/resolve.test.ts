import t from 'tap'
import { resolveOptions, serviceIdOf } from '../../lib/options/resolve.ts'
import { deepFreeze } from '../support/option-objects.ts'

// lib/options/resolve.ts

const taggedAddresses = { lan: { address: 'h' } }
const resolve = (options: unknown, environment = {}) => resolveOptions(options, { environment, hostname: 'host-1' })

t.test('an explicit option goes before the environment, and that before the default', async t => {
  const environment = { CONSUL_TIMEOUT: '2s', CONSUL_CHECK_TIMEOUT: '3s', SERVICE_NAME: 'b', SERVICE_TAGS: 'x,y' }
  const options = resolve({ timeout: '1s', service: { name: 'a', tags: [] } }, environment)
  t.equal(options.timeout, 1000)
  t.equal(options.check.timeout, 3000)
  t.equal(options.check.interval, 10_000)
  t.match(options.service, { name: 'a', tags: [] })
})

t.test('undefined counts as absent, at any depth', async t => {
  const absent = { timeout: undefined, service: { name: undefined }, drain: undefined, calls: { tls: undefined } }
  const options = resolve(absent, { CONSUL_TIMEOUT: '2s', SERVICE_NAME: 'b' })
  t.equal(options.timeout, 2000)
  t.match(options.service, { name: 'b' })
  t.same(resolve(undefined), resolve({}))
})

t.test('null is a value, and a wrong one', async t => {
  for (const options of [null, { url: null }, { service: null }, { drain: { delay: null } }]) {
    t.throws(() => resolve(options), { code: 'FST_CONSUL_INVALID_OPTION', message: /got null$/ })
  }
})

t.test('the options given stay as they are, and may be frozen', async t => {
  const given = () => ({
    prefix: '/x',
    url: 'http://consul:8500',
    fallback: { a: ['http://a:1'] },
    service: { name: 'a', tags: ['x'], meta: { k: 'v' }, weights: { passing: 2 }, taggedAddresses },
    check: { headers: { a: ['b'] } },
    health: { checks: [{ name: 'c', run: String }] },
    underPressure: { exposeStatusRoute: { url: '/x' } },
    calls: { allow: ['a'] }
  })
  const options = given()
  resolve(options, { SERVICE_ID: 'i', CONSUL_DRAIN_DELAY: '1s' })
  t.same(options, given())
  t.notOk(Object.isFrozen(options.service.tags))
  t.notOk(Object.isFrozen(options.health.checks[0]))
  t.same(resolve(deepFreeze(given())), resolve(options))
})

t.test('a later change of the options given has no effect', async t => {
  const given = { service: { name: 'a', tags: ['x'], meta: { k: 'v' } }, calls: { allow: ['a'] } }
  const options = resolve(given)
  given.service.tags.push('y')
  given.service.meta.k = 'w'
  given.calls.allow.pop()
  t.match(options, { service: { tags: ['x'], meta: { k: 'v' } }, calls: { allow: ['a'] } })
})

t.test('each option is read once', async t => {
  let reads = 0
  const options = resolve({ drain: { get delay () { return ++reads * 100 } } })
  t.same([options.drain.delay, reads], [100, 1])
})

t.test('the result is frozen down to what is the caller\'s own', async t => {
  const check = { name: 'c', run: String }
  const options = resolve({
    token: 'x',
    fallback: { a: 'http://a:1' },
    service: { name: 'a', tags: ['x'], meta: { k: 'v' }, weights: { passing: 2 }, taggedAddresses },
    check: { headers: { a: 'b' } },
    health: { checks: [check] },
    calls: { allow: ['a'] }
  })
  const open: string[] = []
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null || value === check) return
    if (!Object.isFrozen(value)) open.push(path)
    for (const [name, inner] of Object.entries(value)) visit(inner, `${path}.${name}`)
  }
  visit(options, 'options')
  t.same(open, [])
})

t.test('constructor and __proto__ are names like any other in maps', async t => {
  const map = (value: unknown) => {
    const json = JSON.stringify(value)
    return JSON.parse(`{"__proto__":${json},"constructor":${json}}`)
  }
  const { fallback, service, check } = resolve({
    fallback: map('http://a:1'),
    service: { name: 'a', meta: map('v'), taggedAddresses: map({ address: 'h' }) },
    check: { headers: map('v') }
  })
  const maps = [fallback, check.headers, ...(service ? [service.meta, service.taggedAddresses] : [])]
  t.equal(maps.length, 4)
  for (const object of maps) {
    t.same(Object.keys(object), ['__proto__', 'constructor'])
    t.equal(Object.getPrototypeOf(object), null)
  }
})

t.test('what Fastify itself takes from the options of a plugin is accepted and left out', async t => {
  t.same(resolve({ prefix: '/x', logLevel: 'warn', logSerializers: {} }), resolve({}))
})

t.test('without a name there is no service, whatever else is known of it', async t => {
  t.equal(resolve({ service: { tags: ['x'], registerOn: 'ready' }, check: { type: 'tcp' } }).service, undefined)
  t.equal(resolve({}, { SERVICE_PORT: '80' }).service, undefined)
  t.equal(resolve({ service: false }, { SERVICE_NAME: 'a', SERVICE_PORT: 'x' }).service, false)
})

t.test('a registry without Fastify has its name and port as arguments, and a ttl check', async t => {
  const context = { environment: { SERVICE_NAME: 'b', SERVICE_PORT: '1', SERVICE_TAGS: 'x' }, hostname: 'host-1' }
  const registry = { name: 'worker', port: 9000 }
  const options = resolveOptions({}, { ...context, registry })
  t.match(options, { service: { name: 'worker', port: 9000, tags: ['x'] }, check: { type: 'ttl' } })
  t.equal(resolveOptions({ check: { type: 'tcp' } }, { ...context, registry }).check.type, 'tcp')
  t.match(resolveOptions({}, { ...context, registry: { name: undefined, port: undefined } }).service,
    { name: 'b', port: 1 }, 'an argument that is undefined counts as absent')
  const wrong: [object, object, RegExp][] = [
    [{ service: { name: 'other' } }, registry, /^service\.name must be left out: it is an argument, got 'other'$/],
    [{ service: false }, registry, /^service must be .* got false$/],
    [{ prefix: '/x' }, registry, /^prefix must be /],
    [{}, { name: '..', port: 1 }, /^service\.name must be /],
    [{}, { name: 'a', port: 65536 }, /^service\.port must be a whole number from 0 to 65535, got 65536$/]
  ]
  for (const [given, registry, message] of wrong) {
    t.throws(() => resolveOptions(given, { ...context, registry: registry as { name: string, port: number } }),
      { code: 'FST_CONSUL_INVALID_OPTION', message })
  }
})

t.test('the id of a service is name-host-port unless one is given', async t => {
  const idOf = (service: object) => {
    const resolved = resolve({ service }).service
    return resolved ? serviceIdOf(resolved, 'host-1', 8001) : undefined
  }
  t.equal(idOf({ name: 'a' }), 'a-host-1-8001')
  t.equal(idOf({ name: 'a', address: '10.0.0.7' }), 'a-10.0.0.7-8001')
  t.equal(idOf({ name: 'a', id: 'mine' }), 'mine')
})

// lib/options/defaults.ts

t.test('without options and environment everything has its documented default', async t => {
  const noTls = {
    ca: undefined,
    cert: undefined,
    key: undefined,
    servername: undefined,
    rejectUnauthorized: true,
    files: { ca: undefined, cert: undefined, key: undefined }
  }
  t.same(resolve({}), {
    url: 'http://127.0.0.1:8500',
    socketPath: undefined,
    auth: undefined,
    token: undefined,
    tls: noTls,
    datacenter: undefined,
    namespace: undefined,
    partition: undefined,
    timeout: 5000,
    mode: 'hybrid',
    fallback: {},
    service: undefined,
    check: {
      type: 'http',
      path: undefined,
      interval: 10_000,
      timeout: 5000,
      deregisterAfter: 60_000,
      headers: {},
      tlsSkipVerify: false,
      successBeforePassing: 0,
      failuresBeforeCritical: 0
    },
    health: {
      readyPath: '/health/ready',
      livePath: '/health/live',
      checks: [],
      timeout: 800,
      cacheFor: 1000,
      details: 'status'
    },
    underPressure: { maxEventLoopDelay: 1000 },
    discovery: {
      preload: [],
      wait: 60_000,
      maxStale: undefined,
      idleAfter: 600_000,
      maxWatches: 64,
      consistency: 'stale',
      passingOnly: false
    },
    balancer: { strategy: 'round-robin', warningShare: 0.1 },
    calls: {
      timeout: 30_000,
      deadline: undefined,
      connectTimeout: 1000,
      retries: 2,
      retryBudget: { ratio: 0.2, perSecond: 10 },
      connections: 64,
      outlier: {
        consecutiveFailures: 5, successRate: 0.5, ejectionTime: 5000, maxEjectionTime: 300_000, maxEjected: 0.5
      },
      tls: noTls,
      allow: undefined
    },
    drain: { delay: 250, timeout: 2000 },
    metrics: false,
    logger: undefined,
    hostname: 'host-1'
  })
  t.same(resolve({ service: { name: 'a' } }).service, {
    name: 'a',
    id: undefined,
    port: 0,
    address: undefined,
    tags: [],
    meta: {},
    weights: undefined,
    enableTagOverride: false,
    taggedAddresses: {},
    registerOn: 'listening'
  })
})

t.test('what is derived follows the options that it is derived from', async t => {
  t.equal(resolve({ health: false }).check.type, 'tcp', 'there is no ready route to ask')
  t.equal(resolve({ health: false, check: { path: '/x' } }).check.type, 'http')
  t.same(resolve({ drain: { delay: 5000 } }).drain, { delay: 5000, timeout: 6750 }, 'the limit grows')
  t.same(resolve({ drain: { timeout: 100 } }).drain, { delay: 100, timeout: 100 }, 'the default gives way')
})

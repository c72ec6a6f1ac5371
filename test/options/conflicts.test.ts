import t from 'tap'
import { resolveOptions } from '../../lib/options/resolve.ts'
import { certificateAuthority } from '../support/certificates.ts'

const { cert, key } = await (await certificateAuthority()).issue('client')
const service = { name: 'a' }

const rows: [name: string, options: object, message: string, environment?: object][] = [
  ['a token and a token file', { token: 'x', tokenFile: '/x' }, "tokenFile must be left out beside token, got '/x'"],
  ['both from the environment', {}, "CONSUL_HTTP_TOKEN_FILE must be left out beside CONSUL_TOKEN, got '/x'",
    { CONSUL_TOKEN: 'x', CONSUL_HTTP_TOKEN_FILE: '/x' }],
  ['a CA for an http: url', { url: 'http://a', tls: { ca: 'x' } },
    'tls.ca must be left out unless url is https:, got a string (not shown)'],
  ['TLS for the default url', { tls: { rejectUnauthorized: false } },
    'tls.rejectUnauthorized must be true unless url is https:, got false'],
  ['a server name for a unix socket', { url: 'unix:///x', tls: { servername: 'x' } },
    "tls.servername must be left out unless url is https:, got 'x'"],
  ['a CA and an http: address in the environment', {},
    'CONSUL_CACERT must be left out unless CONSUL_HTTP_ADDR is https:, got a string (not shown)',
    { CONSUL_CACERT: '/x', CONSUL_HTTP_ADDR: 'a:8500' }],
  ['a certificate without its key', { url: 'https://a', tls: { cert } },
    'tls.key must be set beside tls.cert, got undefined'],
  ['a key without its certificate', { url: 'https://a', tls: { key } },
    'tls.cert must be set beside tls.key, got undefined'],
  ['a certificate for calls without its key', { calls: { tls: { cert } } },
    'calls.tls.key must be set beside calls.tls.cert, got undefined'],
  ['a key for calls without its certificate', { calls: { tls: { key } } },
    'calls.tls.cert must be set beside calls.tls.key, got undefined'],
  ['a certificate in the environment without its key', {},
    'tls.key must be set beside CONSUL_CLIENT_CERT, got undefined',
    { CONSUL_HTTP_SSL: '1', CONSUL_CLIENT_CERT: '/x' }],
  ['registration at ready without a port', { service: { ...service, registerOn: 'ready' } },
    'service.port must be set when service.registerOn is "ready", got undefined'],
  ['registration at ready with port 0', { service: { ...service, registerOn: 'ready', port: 0 } },
    'service.port must be set when service.registerOn is "ready", got 0'],
  ['a check and no service', { service: false, check: { interval: '2s' } },
    'check must be left out when service is false, got an object'],
  ['an http check on routes that are off', { service, health: false, check: { type: 'http' } },
    'check.path must be set for an http check when health is false, got undefined'],
  ['a tcp check with a path', { check: { type: 'tcp', path: '/x' } },
    "check.path must be left out for a tcp check, got '/x'"],
  ['a tcp check that skips TLS verification', { check: { type: 'tcp', tlsSkipVerify: true } },
    'check.tlsSkipVerify must be left out for a tcp check, got true'],
  ['a grpc check with headers', { check: { type: 'grpc', headers: { a: 'b' } } },
    'check.headers must be left out for a grpc check, got an object'],
  ['a ttl check with a path', { check: { type: 'ttl', path: '/x' } },
    "check.path must be left out for a ttl check, got '/x'"],
  ['a ttl check with a timeout', { check: { type: 'ttl', timeout: 1 } },
    'check.timeout must be left out for a ttl check, got 1'],
  ['limits of pressure that nothing measures', { health: false, underPressure: { maxRssBytes: 5 } },
    'underPressure must be left out when health is false, got an object'],
  ['a health check of @fastify/under-pressure run once', { underPressure: { healthCheck: async () => true } },
    'underPressure.healthCheckInterval must be set beside underPressure.healthCheck, got undefined'],
  ['two routes at one path', { health: { readyPath: '/x', livePath: '/x' } },
    "health.livePath must be another path than health.readyPath, got '/x'"],
  ['own checks that may take as long as Consul waits for them', { service, health: { timeout: '5s' } },
    "health.timeout must be less than check.timeout (5000 ms), got '5s'"],
  ['the same with a shorter time set for Consul', { service, health: { timeout: '1s' } },
    "health.timeout must be less than CONSUL_CHECK_TIMEOUT (1000 ms), got '1s'", { CONSUL_CHECK_TIMEOUT: '1s' }],
  ['a check of Consul\'s that does not wait for the own ones', { service, check: { timeout: 800 } },
    'check.timeout must be more than health.timeout (800 ms), got 800'],
  ['the same from the environment', {}, "CONSUL_CHECK_TIMEOUT must be more than health.timeout (800 ms), got '300ms'",
    { SERVICE_NAME: 'a', CONSUL_CHECK_TIMEOUT: '300ms' }],
  ['a first ejection over the longest', { calls: { outlier: { ejectionTime: '10m' } } },
    "calls.outlier.ejectionTime must be at most calls.outlier.maxEjectionTime (300000 ms), got '10m'"],
  ['a longest ejection under the first', { calls: { outlier: { maxEjectionTime: '1s' } } },
    "calls.outlier.maxEjectionTime must be at least calls.outlier.ejectionTime (5000 ms), got '1s'"],
  ['a delay over the limit of the drain', { drain: { delay: '2s', timeout: '1s' } },
    "drain.delay must be at most drain.timeout, got '2s'"],
  ['a delay from the environment over the limit', { drain: { timeout: '1s' } },
    "CONSUL_DRAIN_DELAY must be at most drain.timeout, got '2s'", { CONSUL_DRAIN_DELAY: '2s' }]
]

for (const [name, options, message, environment = {}] of rows) {
  t.test(`${name}: refused`, async t => {
    t.throws(() => resolveOptions(options, { environment: environment as Record<string, string> }),
      { code: 'FST_CONSUL_INVALID_OPTION', message })
  })
}

t.test('an explicit option goes before the variables that it would contradict', async t => {
  const resolve = (options: object, environment: Record<string, string>) => resolveOptions(options, { environment })
  const https = { CONSUL_HTTP_ADDR: 'https://a', CONSUL_CACERT: '/nowhere', CONSUL_TLS_SERVER_NAME: 'a' }
  t.match(resolve({ token: 'x' }, { CONSUL_HTTP_TOKEN_FILE: '/nowhere' }), { token: { kind: 'value' } })
  t.equal(resolve({ token: () => 'x' }, { CONSUL_HTTP_TOKEN: 'y' }).token?.kind, 'function')
  t.match(resolve({ url: 'http://b' }, https), { url: 'http://b', tls: { ca: undefined, servername: undefined } })
  t.equal(resolve({ service: false }, { SERVICE_NAME: 'a', CONSUL_CHECK_INTERVAL: '2s' }).service, false)
  t.doesNotThrow(() => resolve({}, { CONSUL_HTTP_ADDR: 'a:8500', CONSUL_HTTP_SSL_VERIFY: 'true' }), 'nor the default')
  t.match(resolve({ check: { type: 'ttl' } }, { CONSUL_CHECK_TIMEOUT: '2s' }).check, { type: 'ttl', timeout: 2000 })
})

t.test('what is no contradiction is accepted', async t => {
  for (const options of [
    { service: { ...service, registerOn: 'ready', port: 80 } },
    { service, health: false, check: { type: 'http', path: '/x' } },
    { service, health: false, check: { type: 'ttl' } },
    { url: 'https://a', tls: { rejectUnauthorized: false } },
    { url: 'http://a', tls: { rejectUnauthorized: true } },
    { check: { path: '/x' } },
    { health: false, underPressure: false },
    { underPressure: { healthCheck: async () => true, healthCheckInterval: 100 } },
    { mode: 'static' },
    { service, check: { timeout: '801ms' } },
    { service, check: { timeout: '500ms' }, health: { timeout: '400ms' } },
    { service, check: { type: 'tcp', timeout: '500ms' } },
    { service, check: { type: 'ttl' }, health: { timeout: '10s' } },
    { service, check: { path: '/x', timeout: '500ms' } },
    { service, check: { type: 'tcp', timeout: '500ms' }, health: false },
    { check: { timeout: '500ms' } },
    { mode: 'full', fallback: { a: 'http://a' } },
    { drain: { delay: 0, timeout: 0 } }
  ]) t.doesNotThrow(() => resolveOptions(options, { environment: {} }))
})

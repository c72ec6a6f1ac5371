import { join } from 'node:path'
import t from 'tap'
import { variables } from '../../lib/options/environment.ts'
import { resolveOptions } from '../../lib/options/resolve.ts'
import { certificateAuthority } from '../support/certificates.ts'
import { pick } from '../support/option-objects.ts'

const resolve = (environment: Record<string, string>, options: object = {}) => resolveOptions(options, { environment })

const ca = await certificateAuthority()
const { cert, key } = await ca.issue('client')
const folder = t.testdir({ token: 'secret\n', 'ca.pem': ca.ca, 'cert.pem': cert, 'key.pem': key })
const file = (name: string) => join(folder, name)
const https = { CONSUL_HTTP_SSL: 'true' }
const named = { SERVICE_NAME: 'a' }

/** Every variable: what it may hold, and what is then where. */
const rows: [variable: string, text: string, path: string, resolved: unknown, beside?: Record<string, string>][] = [
  ['CONSUL_URL', 'http://consul:8500', 'url', 'http://consul:8500'],
  ['CONSUL_URL', 'consul:8500', 'url', 'http://consul:8500'],
  ['CONSUL_HTTP_ADDR', 'https://consul:8501', 'url', 'https://consul:8501'],
  ['CONSUL_HTTP_ADDR', 'consul:8500', 'url', 'http://consul:8500'],
  ['CONSUL_HTTP_ADDR', '127.0.0.1:8501', 'url', 'https://127.0.0.1:8501', https],
  ['CONSUL_HTTP_ADDR', '[::1]:8500', 'url', 'http://[::1]:8500'],
  ['CONSUL_HTTP_ADDR', 'me:pass@consul:8500', 'auth', 'me:pass'],
  ['CONSUL_HTTP_ADDR', 'unix:///run/consul.sock', 'socketPath', '/run/consul.sock'],
  ['CONSUL_HTTP_SSL', '1', 'url', 'https://127.0.0.1:8500'],
  ['CONSUL_HTTP_SSL', 'false', 'url', 'http://127.0.0.1:8500'],
  ['CONSUL_HTTP_AUTH', 'me:pa:ss', 'auth', 'me:pa:ss'],
  ['CONSUL_HTTP_AUTH', 'me:', 'auth', 'me:'],
  ['CONSUL_TOKEN', 'secret', 'token', { kind: 'value', value: 'secret' }],
  ['CONSUL_HTTP_TOKEN', 'secret', 'token', { kind: 'value', value: 'secret' }],
  ['CONSUL_HTTP_TOKEN_FILE', file('token'), 'token', { kind: 'file', path: file('token') }],
  ['CONSUL_CACERT', file('ca.pem'), 'tls.ca', ca.ca, https],
  ['CONSUL_CLIENT_CERT', file('cert.pem'), 'tls.cert', cert, { ...https, CONSUL_CLIENT_KEY: key }],
  ['CONSUL_CLIENT_KEY', file('key.pem'), 'tls.key', key, { ...https, CONSUL_CLIENT_CERT: cert }],
  ['CONSUL_TLS_SERVER_NAME', 'server.dc1.consul', 'tls.servername', 'server.dc1.consul', https],
  ['CONSUL_HTTP_SSL_VERIFY', 'false', 'tls.rejectUnauthorized', false, https],
  ['CONSUL_HTTP_SSL_VERIFY', '0', 'tls.rejectUnauthorized', false, https],
  ['CONSUL_HTTP_SSL_VERIFY', '1', 'tls.rejectUnauthorized', true, https],
  ['CONSUL_HTTP_SSL_VERIFY', 'TRUE', 'tls.rejectUnauthorized', true, https],
  ['CONSUL_DATACENTER', 'dc2', 'datacenter', 'dc2'],
  ['CONSUL_NAMESPACE', 'team', 'namespace', 'team'],
  ['CONSUL_PARTITION', 'part', 'partition', 'part'],
  ['CONSUL_TIMEOUT', '1m30s', 'timeout', 90_000],
  ['CONSUL_TIMEOUT', '1500', 'timeout', 1500],
  ['CONSUL_MODE', 'full', 'mode', 'full'],
  ['CONSUL_FALLBACK', 'l02-runtime=http://a:1|http://b:2, l03 = https://c ,', 'fallback',
    { 'l02-runtime': ['http://a:1', 'http://b:2'], l03: ['https://c'] }],
  ['CONSUL_FALLBACK', '__proto__=http://a:1,constructor=http://b', 'fallback',
    JSON.parse('{"__proto__":["http://a:1"],"constructor":["http://b"]}')],
  ['SERVICE_NAME', 'l01-data-layer', 'service.name', 'l01-data-layer'],
  ['SERVICE_ID', 'a-1', 'service.id', 'a-1', named],
  ['SERVICE_PORT', '8001', 'service.port', 8001, named],
  ['SERVICE_PORT', '0', 'service.port', 0, named],
  ['SERVICE_ADDRESS', '10.0.0.7', 'service.address', '10.0.0.7', named],
  ['SERVICE_TAGS', 'api, data,,v1', 'service.tags', ['api', 'data', 'v1'], named],
  ['SERVICE_TAGS', '["a,b","c"]', 'service.tags', ['a,b', 'c'], named],
  ['SERVICE_META', 'version=1.2.3, query=a=b', 'service.meta', { version: '1.2.3', query: 'a=b' }, named],
  ['SERVICE_META', '{"version":"1,2"}', 'service.meta', { version: '1,2' }, named],
  ['SERVICE_META', '{"__proto__":"x","constructor":"y"}', 'service.meta',
    JSON.parse('{"__proto__":"x","constructor":"y"}'), named],
  ['CONSUL_CHECK_INTERVAL', '2s', 'check.interval', 2000],
  ['CONSUL_CHECK_TIMEOUT', '500ms', 'check.timeout', 500],
  ['CONSUL_CHECK_DEREGISTER_AFTER', '90m', 'check.deregisterAfter', 5_400_000],
  ['CONSUL_DRAIN_DELAY', '0s', 'drain.delay', 0]
]

for (const [variable, text, path, resolved, beside = {}] of rows) {
  t.test(`${variable} can be ${text.replace(folder, '')}, seen at ${path}`, async t => {
    const value = pick(resolve({ ...beside, [variable]: text }), path)
    t.same(value, resolved)
    t.same(Object.keys(Object(value)), Object.keys(Object(resolved)))
  })
}

t.test('the rows above name every variable', async t => {
  const covered = new Set(rows.map(([variable]) => variable))
  t.same(variables.map(([variable]) => variable).filter(variable => !covered.has(variable)), [])
})

t.test('what is malformed is refused by the name of the variable', async t => {
  const rows: [variable: string, text: string, message: RegExp][] = [
    ['CONSUL_URL', 'http://consul:99999', /must be a URL: .*, got 'http:\/\/consul:99999'$/],
    ['CONSUL_HTTP_ADDR', 'tcp://consul:8500', /must be a URL: .*, got 'tcp:\/\/consul:8500'$/],
    ['CONSUL_HTTP_ADDR', 'a b', /must be a URL: .*, got 'http:\/\/a b'$/],
    ['CONSUL_HTTP_ADDR', '/run/consul.sock', /must be a URL: .* unix:\/\/.*, got 'http:\/\/\/run\/consul\.sock'$/],
    ['CONSUL_HTTP_SSL', 'yes', /must be 1, true, 0 or false, got 'yes'$/],
    ['CONSUL_HTTP_SSL_VERIFY', 'no', /must be 1, true, 0 or false, got 'no'$/],
    ['CONSUL_HTTP_AUTH', 'me', /must be user:password, got a string \(not shown\)$/],
    ['CONSUL_TOKEN', 'a b', /must be a token .*, got a string \(not shown\)$/],
    ['CONSUL_HTTP_TOKEN', 'a\n', /must be a token .*, got a string \(not shown\)$/],
    ['CONSUL_HTTP_TOKEN_FILE', '/nowhere/token', /must be the path of .*, got '\/nowhere\/token' \(ENOENT\)$/],
    ['CONSUL_TIMEOUT', '5 s', /must be a duration from 1ms .*, got '5 s'$/],
    ['CONSUL_TIMEOUT', '-1', /must be a duration from 1ms .*, got '-1'$/],
    ['CONSUL_MODE', 'Full', /must be one of "static", .*, got 'Full'$/],
    ['CONSUL_FALLBACK', 'l02-runtime', /must be a list name=url\|url,name=url, got 'l02-runtime'$/],
    ['CONSUL_FALLBACK', '=http://a', /must be a list name=url\|url,name=url, got '=http:\/\/a'$/],
    ['CONSUL_FALLBACK', 'a=', /must be a URL of the form .*, got ''$/],
    ['CONSUL_FALLBACK', 'a=http://a|b:1', /must be a URL of the form .*, got 'b:1'$/],
    ['CONSUL_FALLBACK', 'a=http://a,a=http://b', /must be a list .* in which no name comes twice, got '/],
    ['CONSUL_FALLBACK', '..=http://a', /must be a string of 1 to 1000 characters, .*, got another name$/],
    ['SERVICE_NAME', '..', /must be a string .* empty, "\." or "\.\.", got '\.\.'$/],
    ['SERVICE_NAME', 'a\tb', /must be .* without control characters, .*, got 'a\\tb'$/],
    ['SERVICE_ID', '.', /must be a string .*, got '\.'$/],
    ['SERVICE_PORT', 'http', /must be a whole number, got 'http'$/],
    ['SERVICE_PORT', '80.5', /must be a whole number, got '80\.5'$/],
    ['SERVICE_PORT', '65536', /must be a whole number from 0 to 65535, got 65536$/],
    ['SERVICE_ADDRESS', '0.0.0.0', /must be an address that others can reach, .*, got '0\.0\.0\.0'$/],
    ['SERVICE_TAGS', '["a"', /must be a comma list or a JSON array, got '\["a"'$/],
    ['SERVICE_TAGS', '["a",5]', /must be a string, got 5$/],
    ['SERVICE_META', 'version', /must be a list k=v,k=v or a JSON object, got 'version'$/],
    ['SERVICE_META', '{version:1}', /must be a list k=v,k=v or a JSON object, got '\{version:1\}'$/],
    ['SERVICE_META', '{"version":1}', /must be a string, got 1$/],
    ['SERVICE_META', 'a=b,a=c', /must be a list .* in which no name comes twice, got 'a=b,a=c'$/],
    ['CONSUL_CHECK_INTERVAL', '999ms', /must be a duration from 1s .*, got '999ms'$/],
    ['CONSUL_CHECK_TIMEOUT', '0', /must be a duration from 1ms .*, got 0$/],
    ['CONSUL_CHECK_DEREGISTER_AFTER', '30s', /must be a duration from 1m .*, got '30s'$/],
    ['CONSUL_DRAIN_DELAY', '1d', /must be a duration from 0s .*, got '1d'$/]
  ]
  for (const [variable, text, { source }] of rows) {
    const message = new RegExp(`^${variable} ${source}`)
    t.throws(() => resolve({ [variable]: text }), { code: 'FST_CONSUL_INVALID_OPTION', message })
  }
  for (const variable of ['CONSUL_CACERT', 'CONSUL_CLIENT_CERT', 'CONSUL_CLIENT_KEY']) {
    const pair = { CONSUL_CLIENT_CERT: cert, CONSUL_CLIENT_KEY: key, ...https }
    t.throws(() => resolve({ ...pair, [variable]: '/nowhere/x.pem' }), {
      code: 'FST_CONSUL_INVALID_OPTION',
      message: new RegExp(`^${variable} must be PEM text or .*, got '/nowhere/x\\.pem' \\(ENOENT\\)$`)
    })
  }
})

t.test('CONSUL_URL goes before CONSUL_HTTP_ADDR, and CONSUL_TOKEN before CONSUL_HTTP_TOKEN', async t => {
  t.equal(resolve({ CONSUL_HTTP_ADDR: 'b:1', CONSUL_URL: 'http://a:1' }).url, 'http://a:1')
  t.match(resolve({ CONSUL_HTTP_TOKEN: 'b', CONSUL_TOKEN: 'a' }).token, { value: 'a' })
})

t.test('CONSUL_HTTP_SSL says the scheme only where the address does not, and never takes TLS back', async t => {
  t.equal(resolve({ CONSUL_HTTP_ADDR: 'https://a', CONSUL_HTTP_SSL: '0' }).url, 'https://a')
  t.equal(resolve({ CONSUL_HTTP_ADDR: 'http://a', CONSUL_HTTP_SSL: '0' }).url, 'http://a')
  t.equal(resolve({ CONSUL_HTTP_SSL: '1' }, { url: 'http://a' }).url, 'http://a')
  t.throws(() => resolve({ CONSUL_HTTP_ADDR: 'http://a', CONSUL_HTTP_SSL: '1' }),
    { message: "CONSUL_HTTP_SSL must be false beside an http: CONSUL_HTTP_ADDR, got '1'" })
})

t.test('the credentials of a URL go before CONSUL_HTTP_AUTH', async t => {
  t.equal(resolve({ CONSUL_HTTP_AUTH: 'b:b' }, { url: 'http://a:a@consul' }).auth, 'a:a')
  t.equal(resolve({ CONSUL_HTTP_AUTH: 'b:b' }, { url: 'http://consul' }).auth, 'b:b')
})

t.test('an empty variable counts as not set', async t => {
  const empty = Object.fromEntries([...variables.map(([name]) => name), 'CONSUL_HTTP_AUTH'].map(name => [name, '']))
  t.same(resolve(empty), resolve({}))
  t.equal(resolve({ CONSUL_URL: '', CONSUL_HTTP_ADDR: 'a:1' }).url, 'http://a:1')
})

t.test('a variable that an option overrides is not even read', async t => {
  t.equal(resolve({ CONSUL_TIMEOUT: 'x' }, { timeout: 1 }).timeout, 1)
  t.equal(resolve({ SERVICE_PORT: 'x' }, { service: false }).service, false)
})

t.test('the environment is process.env where nothing else is given', async t => {
  t.teardown(() => { delete process.env.CONSUL_DATACENTER })
  process.env.CONSUL_DATACENTER = 'from-process'
  t.equal(resolveOptions({}).datacenter, 'from-process')
  t.equal(resolveOptions({}, { environment: {} }).datacenter, undefined)
})

import t from 'tap'
import { reasonOf } from '../../lib/consul/connection-error.ts'
import { clientOf, failureOf, fakeServer } from './helpers.ts'

// lib/consul/answer.ts

/** A fake server: these are answers of agents and proxies that a test agent cannot be brought to give. */
interface Answer {
  status: number
  body: string
  headers?: Record<string, string>
}

let answer: Answer = { status: 200, body: '[]' }
const url = await fakeServer(t, (_, response) => {
  response.writeHead(answer.status, answer.headers).end(answer.body)
})
const client = clientOf(t, { url })

function answerWith (status: number, body: string, headers: Record<string, string> = {}): void {
  answer = { status, body, headers }
}

const refusals: [what: string, status: number, body: string, code: string][] = [
  ['an unknown token', 403, 'ACL not found', 'FST_CONSUL_API_FORBIDDEN'],
  ['a blocked endpoint', 403, 'Endpoint is blocked by agent configuration', 'FST_CONSUL_API_FORBIDDEN'],
  ['an unknown service', 404, 'Unknown service ID "a"', 'FST_CONSUL_API_NOT_FOUND'],
  ['an unknown service before 1.11', 500, 'Unknown service "a"', 'FST_CONSUL_API_NOT_FOUND'],
  ['an unknown service id before 1.11', 500, 'Unknown service ID "a". Ensure that the service ID is passed',
    'FST_CONSUL_API_NOT_FOUND'],
  ['an unknown check before 1.11', 500, 'Unknown check "a"', 'FST_CONSUL_API_NOT_FOUND'],
  ['a check without TTL', 500, 'CheckID "a" does not have associated TTL', 'FST_CONSUL_API_NOT_FOUND'],
  ['the limit of connections', 429, 'Your IP is issuing too many concurrent connections, please rate limit your calls',
    'FST_CONSUL_API_RATE_LIMITED'],
  ['the rate limit of a server', 429, 'rate limit exceeded, try again later or against a different server',
    'FST_CONSUL_API_RATE_LIMITED'],
  ['no leader', 500, 'No cluster leader', 'FST_CONSUL_API_STATUS'],
  ['an old server', 500, 'rpc error: code = Unimplemented desc = unknown service subscribe.StateChangeSubscription',
    'FST_CONSUL_API_STATUS'],
  ['no servers', 500, 'No known Consul servers', 'FST_CONSUL_API_STATUS'],
  ['a bad request', 400, 'Invalid wait time', 'FST_CONSUL_API_STATUS'],
  ['a proxy without a backend', 502, 'Bad Gateway', 'FST_CONSUL_API_STATUS'],
  ['the rate limit of the leader', 503, 'retry later', 'FST_CONSUL_API_STATUS'],
  ['a redirect', 301, 'Moved', 'FST_CONSUL_API_STATUS']
]

for (const [what, status, body, code] of refusals) {
  t.test(`${what} (${status}) is ${code} with the words of the answer`, async t => {
    answerWith(status, `${body}\n`)
    const error = await failureOf(client.health('a'))
    t.equal(error.code, code)
    t.match(error.message, 'GET /v1/health/service/a')
    t.match(error.message, String(status))
    t.ok(error.message.endsWith(`: ${body}`), error.message)
  })
}

t.test('a long answer is cut in the message', async t => {
  answerWith(500, 'x'.repeat(10_000))
  t.ok((await failureOf(client.health('a'))).message.length < 600)
})

const garbage: [what: string, body: string][] = [
  ['a page of HTML', '<!doctype html><title>Welcome</title>'],
  ['nothing', ''],
  ['half of an answer', '[{"Node":'],
  ['an object in the place of a list', '{}'],
  ['null', 'null'],
  ['a list of other things', '[1]'],
  ['entries without a node', '[{"Service":{},"Checks":[]}]'],
  ['entries without checks', '[{"Node":{},"Service":{},"Checks":null}]']
]

for (const [what, body] of garbage) {
  t.test(`${what}, with status 200, is no answer of Consul's`, async t => {
    answerWith(200, body, { 'content-type': 'text/html' })
    const error = await failureOf(client.health('a'))
    t.equal(error.code, 'FST_CONSUL_API_ANSWER')
    t.match(error.message, /^The answer to GET \/v1\/health\/service\/a is not what Consul sends: /)
  })
}

t.test('what is no JSON is told by its type and length', async t => {
  answerWith(200, '<html>', { 'content-type': 'text/html; charset=utf-8' })
  t.match(await failureOf(client.leader()), { message: /: not JSON \(text\/html; charset=utf-8, 6 characters\)$/ })
  answerWith(200, '')
  t.match(await failureOf(client.leader()), { message: /: not JSON \(no content type, 0 characters\)$/ })
})

t.test('each read knows its own kind of answer', async t => {
  answerWith(200, '[]')
  await t.rejects(client.agentSelf(), { message: /JSON of another kind \(array\)$/ })
  await t.rejects(client.agentChecks('a'), { code: 'FST_CONSUL_API_ANSWER' })
  await t.rejects(client.agentService('a'), { code: 'FST_CONSUL_API_ANSWER' })
  await t.rejects(client.listServices(), { code: 'FST_CONSUL_API_ANSWER' })
  await t.rejects(client.leader(), { code: 'FST_CONSUL_API_ANSWER' })
  answerWith(200, 'null')
  await t.rejects(client.agentSelf(), { message: /JSON of another kind \(null\)$/ })
})

t.test('an answer says whether the token sees only a part', async t => {
  answerWith(200, '[]', { 'x-consul-results-filtered-by-acls': 'true', 'x-consul-index': '7' })
  t.match(await client.health('a'), { filteredByAcls: true, index: '7' })
  answerWith(200, '[]')
  t.match(await client.health('a'), { filteredByAcls: false, index: undefined })
})

t.test('an empty leader is an election', async t => {
  answerWith(200, '""')
  t.equal(await client.leader(), '')
})

t.test('our own secrets are in no error, whatever a server repeats', async t => {
  const [token, user, password] = ['tok-3f6c0b9e', 'ann', 'p-ss:w0rd']
  let status = 200
  const echo = await fakeServer(t, ({ headers: { authorization = '', 'x-consul-token': sent } }, response) => {
    const decoded = Buffer.from(authorization.slice('Basic '.length), 'base64').toString()
    response.writeHead(status, { 'content-type': 'text/plain' })
    response.end(`token ${String(sent)} and ${authorization} which is ${decoded}; again ${String(sent)}`)
  })
  const talkative = clientOf(t, { url: echo.replace('//', `//${user}:${encodeURIComponent(password)}@`), token })
  for (status of [200, 301, 403, 404, 429, 500]) {
    const error = await failureOf(talkative.health('a'))
    const told = JSON.stringify([error.message, error.stack, error, error.cause, String(error.cause)])
    for (const secret of [token, password, Buffer.from(`${user}:${password}`).toString('base64')]) {
      t.notOk(told.includes(secret), `answered with ${status}`)
    }
    if (status === 200) continue
    t.match(error.message, 'token [secret] and Basic [secret] which is ann:[secret]; again [secret]')
  }
})

// lib/consul/connection-error.ts

const failure = (message: string, code?: string, cause?: Error) =>
  Object.assign(new Error(message, { cause }), code !== undefined && { code })

t.test('an error is told in its own words, with its code once', async t => {
  t.equal(reasonOf(failure('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED')), 'connect ECONNREFUSED 127.0.0.1:1')
  t.equal(reasonOf(failure('', 'ECONNREFUSED')), 'ECONNREFUSED')
  t.equal(reasonOf(failure('other side closed', 'UND_ERR_SOCKET')), 'other side closed UND_ERR_SOCKET')
  t.equal(reasonOf('odd'), 'odd')
})

t.test('what TLS says is told with the option to look at, whichever way a version of Node says it', async t => {
  const rows: [error: Error, hint: RegExp][] = [
    [failure('unable to verify the first certificate', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'), /see tls\.ca/],
    [failure('self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT'), /see tls\.ca/],
    [failure('Hostname does not match', 'ERR_TLS_CERT_ALTNAME_INVALID'), /tls\.servername/],
    [failure('certificate has expired', 'CERT_HAS_EXPIRED'), /not valid now/],
    [failure('error:0A000412:sslv3 alert bad certificate', 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE'), /see tls\.cert/],
    [failure('tlsv13 alert certificate required', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), /see tls\.cert/],
    [failure('write EPROTO error:0A000418:tlsv1 alert unknown ca', 'EPROTO'), /see tls\.cert/],
    [failure('write EPROTO error:0A00010B:wrong version number', 'EPROTO'), /no TLS is spoken there/],
    [failure('closed', 'UND_ERR_SOCKET', failure('alert', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA')), /see tls\.cert/]
  ]
  for (const [error, hint] of rows) t.match(reasonOf(error), hint)
  t.notMatch(reasonOf(failure('tlsv1 alert protocol version', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')), /see tls/)
})

import { join } from 'node:path'
import t from 'tap'
import { resolveOptions } from '../../lib/options/resolve.ts'
import { certificateAuthority } from '../support/certificates.ts'

const ca = await certificateAuthority()
const client = await ca.issue('client')
const other = await ca.issue('other')
const folder = t.testdir({
  'ca.pem': ca.ca,
  'cert.pem': client.cert,
  'key.pem': client.key,
  'note.txt': 'no PEM at all',
  token: ' secret-token\n',
  empty: '\n',
  'two.words': 'not a token'
})
const file = (name: string) => join(folder, name)

const resolve = (options: object, environment = {}) => resolveOptions(options, { environment })
const https = (tls: object) => ({ url: 'https://consul:8501', tls })
const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'

t.test('TLS material is PEM text or a path, and the path is remembered', async t => {
  const text = resolve(https({ ca: ca.ca, cert: client.cert, key: client.key })).tls
  const files = resolve(https({ ca: file('ca.pem'), cert: file('cert.pem'), key: file('key.pem') })).tls
  t.same(text.files, { ca: undefined, cert: undefined, key: undefined })
  t.same(files.files, { ca: file('ca.pem'), cert: file('cert.pem'), key: file('key.pem') })
  t.same({ ...files, files: undefined }, { ...text, files: undefined })
  t.same(resolve({ calls: { tls: { ca: file('ca.pem') } } }).calls.tls.ca, ca.ca)
})

t.test('several authorities in one text are kept', async t => {
  const both = `${ca.ca}\n${(await certificateAuthority('second')).ca}`
  t.equal(resolve(https({ ca: both })).tls.ca, both)
})

t.test('what cannot be read or used is refused with the path and the reason, and without the content', async t => {
  const rows: [tls: object, message: RegExp][] = [
    [{ ca: '/nowhere/ca.pem' }, /^tls\.ca must be PEM text or .* PEM file, got '\/nowhere\/ca\.pem' \(ENOENT\)$/],
    [{ ca: folder }, /^tls\.ca must be .*\(EISDIR\)$/],
    [{ ca: file('note.txt') }, /^tls\.ca must be PEM certificates, got '.*note\.txt': /],
    [{ ca: broken }, /^tls\.ca must be PEM certificates, got text \(not shown\): /],
    [{ ca: `${ca.ca}\n${broken}` }, /^tls\.ca must be PEM certificates, got text \(not shown\): /],
    [{ ca: client.key }, /^tls\.ca must be PEM certificates, got text \(not shown\): /],
    [{ cert: broken, key: client.key }, /^tls\.cert must be a PEM certificate, got text \(not shown\): /],
    [{ cert: file('note.txt'), key: client.key }, /^tls\.cert must be a PEM certificate, got '.*note\.txt': /],
    [{ cert: client.cert, key: other.key }, /^tls\.key must be the unencrypted PEM key of tls\.cert, got text/],
    [{ cert: client.cert, key: broken }, /^tls\.key must be the unencrypted PEM key of tls\.cert, got text/]
  ]
  for (const [tls, message] of rows) {
    t.throws(() => resolve(https(tls)), { code: 'FST_CONSUL_INVALID_OPTION', message })
    t.throws(() => resolve({ calls: { tls } }),
      { message: new RegExp(message.source.replace('^', '^calls\\.').replace('of tls', 'of calls\\.tls')) })
  }
})

t.test('a token file is read at the start, and remembered by its path', async t => {
  t.same(resolve({ tokenFile: file('token') }).token, { kind: 'file', path: file('token') })
})

t.test('a token file that is missing, empty or no token is refused', async t => {
  const rows: [path: string, message: RegExp][] = [
    [file('missing'), /^tokenFile must be the path of a readable file with a token, got '.*missing' \(ENOENT\)$/],
    [file('empty'), /^tokenFile must be .*, got '.*empty', which is empty$/],
    [file('two.words'), /^tokenFile must be .*, got '.*two\.words', which holds none$/]
  ]
  for (const [path, message] of rows) {
    t.throws(() => resolve({ tokenFile: path }), { code: 'FST_CONSUL_INVALID_OPTION', message })
    const variable = new RegExp(message.source.replace('tokenFile', 'CONSUL_HTTP_TOKEN_FILE'))
    t.throws(() => resolve({}, { CONSUL_HTTP_TOKEN_FILE: path }), { message: variable })
  }
})

t.test('what does not look like a path is not shown: it may be the secret itself', async t => {
  t.throws(() => resolve({ tokenFile: 'b1946ac9-2492-4cf4' }), { message: /got a string \(not shown\) \(ENOENT\)$/ })
  t.throws(() => resolve(https({ key: 'MC4CAQAwBQYDK2Vw/x+=', cert: client.cert })),
    { message: /got a string \(not shown\) \(ENOENT\)$/ })
})

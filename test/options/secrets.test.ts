import t from 'tap'
import { InvalidOptionError } from '../../lib/errors.ts'
import { resolveOptions } from '../../lib/options/resolve.ts'
import { nested } from '../support/option-objects.ts'

const secret = 'hunter2hunter2'

const messageOf = (options: unknown, environment = {}): string => {
  try {
    resolveOptions(options, { environment })
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error
    return [String(error), error.stack, JSON.stringify(error)].join('\n')
  }
  return 'accepted'
}

/** Secrets in wrong values, each in the shapes that it may come in. */
const shapes = [
  secret, `${secret}\n`, ` ${secret}`, [secret], { value: secret }, [[secret]],
  `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`, Buffer.from(secret), new Map([[secret, secret]])
]
const secretOptions = [
  'tls', 'tls.ca', 'tls.cert', 'tls.key', 'calls.tls', 'calls.tls.ca', 'calls.tls.cert', 'calls.tls.key',
  'tokenFile', 'check.headers.authorization'
]

for (const option of secretOptions) {
  t.test(`${option} never shows in an error`, async t => {
    for (const shape of shapes) {
      const message = messageOf({ url: 'https://a', ...nested(option, shape) })
      t.notMatch(message, secret)
    }
  })
}

t.test('a token never shows in an error', async t => {
  for (const shape of [`${secret} `, `${secret}\n`, [secret], { secret }, Buffer.from(secret)]) {
    t.notMatch(messageOf({ token: shape }), secret)
  }
  t.notMatch(messageOf({ token: secret, tokenFile: secret }), secret)
  t.notMatch(messageOf({ tokne: secret }), secret, 'nor under a misspelt name')
  t.notMatch(messageOf({ service: { token: secret } }), secret)
})

t.test('user and password of a URL never show in an error', async t => {
  const urls = [
    `http://me:${secret}@consul:99999`, `http://${secret}@consul:0`, `me:${secret}@consul:8500`,
    `http://me:${secret}@x@consul:99999`, `http://me:/${secret}@consul`, `ftp://me:${secret}@consul`,
    `http://me:${secret}@consul/?x`, `http://consul/?token=${secret}`, `http://me:%zz${secret}@consul`
  ]
  for (const url of urls) {
    t.notMatch(messageOf({ url }), secret)
    t.notMatch(messageOf({ fallback: { a: url } }), secret)
    t.notMatch(messageOf({ fallback: { a: ['http://a', url] } }), secret)
    t.notMatch(messageOf({ fallback: { [url]: 5 } }), secret)
    t.notMatch(messageOf({ datacenter: `${url}\n` }), secret)
    t.notMatch(messageOf({}, { CONSUL_URL: `${url}#` }), secret)
    t.notMatch(messageOf({}, { CONSUL_HTTP_ADDR: `${url}#` }), secret)
    t.notMatch(messageOf({}, { CONSUL_FALLBACK: `a=${url}` }), secret)
    t.notMatch(messageOf({}, { CONSUL_FALLBACK: `a=http://a|${url},b=${url},c` }), secret)
  }
})

t.test('a secret variable never shows in an error', async t => {
  const environments = [
    { CONSUL_TOKEN: `${secret} ` }, { CONSUL_HTTP_TOKEN: `${secret}\n` }, { CONSUL_HTTP_TOKEN_FILE: secret },
    { CONSUL_HTTP_AUTH: secret }, { CONSUL_HTTP_AUTH: `:${secret}` }, { CONSUL_HTTP_AUTH: `me:${secret}\n` }
  ]
  for (const environment of environments) {
    const message = messageOf({}, environment)
    t.match(message, Object.keys(environment)[0]!)
    t.notMatch(message, secret)
  }
  for (const name of ['CONSUL_CACERT', 'CONSUL_CLIENT_CERT', 'CONSUL_CLIENT_KEY']) {
    for (const shape of shapes.filter(shape => typeof shape === 'string')) {
      t.notMatch(messageOf({}, { CONSUL_HTTP_SSL: '1', [name]: shape }), secret)
    }
  }
})

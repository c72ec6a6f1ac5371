import t from 'tap'
import { listeningApp, messages, type TestAppOptions } from './lifecycle/app.ts'
import { checkOutput, registered } from './lifecycle/catalog.ts'
import { certificateAuthority } from './support/certificates.ts'
import { startConsul } from './support/consul.ts'

const consul = await startConsul(t)
const { cert, key } = await (await certificateAuthority()).issue('127.0.0.1')

const tls = { cert, key }
const table: Record<string, {
  fastify: object, check?: TestAppOptions['check'], scheme: string | undefined, output: (port: number) => string
}> = {
  http: { fastify: {}, scheme: undefined, output: port => `HTTP GET http://127.0.0.1:${port}/health/ready: 200 OK` },
  https: {
    fastify: { https: tls },
    check: { tlsSkipVerify: true },
    scheme: 'https',
    output: port => `HTTP GET https://127.0.0.1:${port}/health/ready: 200 OK`
  },
  h2c: { fastify: { http2: true }, scheme: undefined, output: port => `TCP connect 127.0.0.1:${port}: Success` },
  'HTTP/2 over TLS': {
    fastify: { http2: true, https: tls },
    scheme: 'https',
    output: port => `TCP connect 127.0.0.1:${port}: Success`
  },
  'HTTP/2 over TLS that allows HTTP/1': {
    fastify: { http2: true, https: { ...tls, allowHTTP1: true } },
    check: { tlsSkipVerify: true },
    scheme: 'https',
    output: port => `HTTP GET https://127.0.0.1:${port}/health/ready: 200 OK`
  }
}

for (const [kind, { fastify, check, scheme, output }] of Object.entries(table)) {
  t.test(`${kind}: scheme ${scheme ?? 'not told'}, and a check that Consul can do passes`, async t => {
    const name = `scheme-${kind.length}`
    const { port, lines } = await listeningApp(t, {
      url: consul.url, service: { name }, check: { interval: '1s', ...check }, fastify
    })
    t.match(await checkOutput(consul, name), output(port))
    const { Service: service } = await registered(consul, name, 'passing')
    t.equal(service.Meta?.['scheme'], scheme)
    const isTcp = output(port).startsWith('TCP')
    t.same(messages(lines, 'info', 'warn').sort(), isTcp
      ? ['A check of this type cannot tell degraded from healthy',
          'Consul\'s http check speaks no HTTP/2: a tcp check is registered',
          'Registered with Consul']
      : ['Registered with Consul'])
  })
}

t.test('meta.scheme of one\'s own stays', async t => {
  const service = { name: 'own-scheme', meta: { scheme: 'h2', other: 'x' } }
  await listeningApp(t, { url: consul.url, service, fastify: { https: tls } as object })
  const { Service: { Meta: meta } } = await registered(consul, 'own-scheme')
  t.same(meta, { scheme: 'h2', other: 'x' })
})

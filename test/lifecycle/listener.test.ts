import { createServer } from 'node:http'
import { createServer as createHttp2, createSecureServer } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import type { Server } from 'node:net'
import t from 'tap'
import { listenerOf, listenerOnPort } from '../../lib/lifecycle/listener.ts'
import { certificateAuthority } from '../support/certificates.ts'
import { once } from '../support/wait.ts'

const tls = await (await certificateAuthority()).issue('localhost')

const table: Record<string, [server: Server, scheme: 'http' | 'https', http1: boolean]> = {
  http: [createServer(), 'http', true],
  https: [createHttps(tls), 'https', true],
  h2c: [createHttp2(), 'http', false],
  'HTTP/2 over TLS': [createSecureServer(tls), 'https', false],
  'HTTP/2 over TLS that allows HTTP/1': [createSecureServer({ ...tls, allowHTTP1: true }), 'https', true]
}

for (const [kind, [server, scheme, http1]] of Object.entries(table)) {
  t.test(kind, async t => {
    t.equal(listenerOf(server), undefined, 'not before it listens')
    server.listen(0, '127.0.0.1')
    t.teardown(() => server.close())
    await once(server, 'listening')
    t.match(listenerOf(server), { host: '127.0.0.1', port: Number, scheme, http1 })
  })
}

t.test('a port without a server', async t => {
  t.same(listenerOnPort(8080), { host: undefined, port: 8080, scheme: 'http', http1: true })
})

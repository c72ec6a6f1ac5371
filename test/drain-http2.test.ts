import { EventEmitter } from 'node:events'
import { connect, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2'
import t, { type Test } from 'tap'
import { listeningApp, type TestAppOptions } from './lifecycle/app.ts'
import { entriesOf, gone, registered } from './lifecycle/catalog.ts'
import { certificateAuthority } from './support/certificates.ts'
import { startConsul } from './support/consul.ts'
import { once } from './support/wait.ts'

const { url, api } = await startConsul(t)
const authority = await certificateAuthority()
const { cert, key } = await authority.issue('localhost', '127.0.0.1')

type Servers = Pick<TestAppOptions, 'fastify'>
const kinds: Record<string, [scheme: string, options: Servers]> = {
  h2c: ['http', { fastify: { http2: true } as object }],
  'HTTP/2 over TLS': ['https', { fastify: { http2: true, https: { cert, key } } as object }],
  'HTTP/2 over TLS that allows HTTP/1': [
    'https', { fastify: { http2: true, https: { cert, key, allowHTTP1: true } } as object }
  ]
}

function open (t: Test, origin: string): ClientHttp2Session {
  const session = connect(origin, { ca: authority.ca })
  session.on('error', () => {})
  t.teardown(() => session.destroy())
  return session
}

const head = async (stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> => once(stream, 'response')

async function textOf (stream: ClientHttp2Stream): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

for (const [kind, [scheme, options]] of Object.entries(kinds)) {
  t.test(`${kind}: GOAWAY at the beginning, running streams finish, new sessions are served`, async t => {
    const name = `h2-${kind.length}`
    const handler = new EventEmitter()
    const { app, port } = await listeningApp(t, {
      url,
      service: { name },
      drain: { delay: 2000 },
      ...options,
      routes (app) {
        app.get('/slow', async (_, reply) => {
          handler.emit('begun')
          await once(handler, 'end')
          return reply.send('slow')
        })
      }
    })
    await registered({ api }, name, 'passing')
    const origin = `${scheme}://127.0.0.1:${port}`
    const session = open(t, origin)
    const idle = open(t, origin)
    await once(idle, 'remoteSettings')
    const begun = once(handler, 'begun')
    const slow = session.request({ ':path': '/slow' })
    await begun

    const goaways = [once(session, 'goaway'), once(idle, 'goaway')]
    const closing = app.close()
    t.same(await Promise.all(goaways), [0, 0])
    await gone({ api }, name)
    const late = open(t, origin)
    const served = late.request({ ':path': '/' })
    t.equal((await head(served))[':status'], 200)
    t.equal(await textOf(served), 'hello')
    await once(late, 'close')

    handler.emit('end')
    t.equal((await head(slow))[':status'], 200)
    t.equal(await textOf(slow), 'slow')
    await closing
    t.same(await entriesOf({ api }, name), [])
  })
}

import { rm, writeFile } from 'node:fs/promises'
import t from 'tap'
import { certificateAuthority } from '../support/certificates.ts'
import { startProxy, type Proxy } from '../support/proxy.ts'
import { until } from '../support/wait.ts'
import { clientOf, failureOf } from './helpers.ts'
import { filesIn, startSecureAgent, writeFiles } from './secure-agent.ts'

const authority = await certificateAuthority('first')
const other = await certificateAuthority('second')
const secure = await startSecureAgent(t, t.testdir(), authority)
const { url } = secure
const { ca } = authority
const { cert, key } = await authority.issue('client')

async function cut (proxy: Proxy): Promise<void> {
  proxy.cut()
  await until(() => proxy.connections === 0)
}

t.test('an agent is reached over TLS that both sides verify', async t => {
  const client = clientOf(t, { url, tls: { ca, cert, key } })
  t.match(await client.agentSelf(), { Config: { Datacenter: 'dc1' } })
  t.equal(client.localAddress, '127.0.0.1')
})

t.test('what does not fit is an error that says which option to look at', async t => {
  const stranger = await other.issue('client')
  const rows: [tls: object, message: RegExp][] = [
    [{ cert, key }, /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+ \(its certificate is not of .* trusted: see tls\.ca/],
    [{ ca: other.ca, cert, key }, /UNABLE_TO_\w+|SIGNATURE \(its certificate is not of an authority.* see tls\.ca/],
    [{ ca, cert, key, servername: 'stranger.test' }, /\(its certificate is for another name: .*tls\.servername/],
    [{ ca }, /\(it refuses the client certificate, or its absence: see tls\.cert/],
    [{ ca, ...stranger }, /\(it refuses the client certificate, or its absence: see tls\.cert/]
  ]
  for (const [tls, message] of rows) {
    const error = await failureOf(clientOf(t, { url, tls }).leader())
    t.match(error, { code: 'FST_CONSUL_API_UNREACHABLE' })
    t.match(error.message, message)
  }
  const plain = await failureOf(clientOf(t, { url: secure.agent.url.replace('http:', 'https:') }).leader())
  t.match(plain.message, /\(no TLS is spoken there: see the url\)/)
})

t.test('the name that the certificate must be for can be another one than the host', async t => {
  const client = clientOf(t, { url, tls: { ca, cert, key, servername: 'consul.test' } })
  t.ok(await client.leader())
})

t.test('rejectUnauthorized: false takes any server', async t => {
  t.ok(await clientOf(t, { url, tls: { cert, key, rejectUnauthorized: false } }).leader())
})

t.test('files that are rotated serve new connections, while those that exist go on', async t => {
  const files = filesIn(t.testdir())
  await writeFiles(files, authority)
  const proxy = await startProxy(t, secure)
  const client = clientOf(t, { url: proxy.url.replace('http:', 'https:'), tls: { ...files, servername: 'localhost' } })
  await client.leader()
  const { opened } = proxy

  await writeFiles(files, other)
  await client.leader()
  t.equal(proxy.opened, opened, 'the connection that exists goes on')
  await cut(proxy)
  t.match((await failureOf(client.leader())).message, /see tls\.ca/, 'a new one trusts another authority now')

  await secure.become(other)
  t.ok(await client.leader(), 'which is the right one once the agent has changed too')
  await writeFiles(files, other)
  await cut(proxy)
  t.ok(await client.leader(), 'a new certificate of the same authority')

  await secure.become(authority)
  t.match((await failureOf(client.leader())).message, /see tls\.ca/)
  await writeFiles(files, authority)
  t.ok(await client.leader())
})

t.test('files that are being written do no harm: what was good goes on, and a failure names them', async t => {
  const files = filesIn(t.testdir())
  await writeFiles(files, authority)
  const proxy = await startProxy(t, secure)
  const client = clientOf(t, { url: proxy.url.replace('http:', 'https:'), tls: { ...files, servername: 'localhost' } })
  await client.leader()
  for (const spoil of [
    async () => await writeFile(files.cert, cert),
    async () => await writeFile(files.ca, 'half of'),
    async () => await rm(files.key)
  ]) {
    await writeFiles(files, authority)
    await spoil()
    await cut(proxy)
    t.ok(await client.leader())
    await proxy.refuse(true)
    await cut(proxy)
    const { message } = await failureOf(client.leader())
    t.match(message, /ECONNREFUSED.*; the files of tls cannot be used \(\w+\)$/)
    await proxy.refuse(false)
  }
  await writeFiles(files, authority)
  t.ok(await client.leader())
})

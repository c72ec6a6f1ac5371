import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { TLSSocket } from 'node:tls'
import t from 'tap'
import type { AttemptMessage } from '../../lib/calls/events.ts'
import { certificateAuthority } from '../support/certificates.ts'
import { MemorySource, noTls, startCalls, startServer } from './helpers.ts'

const authority = await certificateAuthority()
const certificate = await authority.issue('svc', 'svc.service.consul', 'example.com')
const tls = { ...noTls, ca: authority.ca }

function startSecure (t: Parameters<typeof startServer>[0], fields = {}) {
  return startServer(t, 'a', (request, response) => {
    const { servername } = request.socket as TLSSocket & { servername: string }
    response.end(JSON.stringify([servername, request.headers.host]))
  }, { certificate, ...fields })
}

t.test('https: in the URL means TLS; Host and SNI are the service\'s name', async t => {
  const { instance } = await startSecure(t)
  const { fetch, request } = startCalls(t, new MemorySource({ svc: [instance] }), { tls })
  const cases = [
    ['https://svc/', {}, ['svc', 'svc']],
    ['https://svc.service.consul/', {}, ['svc.service.consul', 'svc.service.consul']],
    ['https://svc.service.consul./', {}, ['svc.service.consul', 'svc.service.consul.']],
    ['https://svc/', { host: 'example.com' }, ['example.com', 'example.com']]
  ] as const
  for (const [url, headers, expected] of cases) {
    t.same(await (await request(url, { headers })).body.json(), expected, url)
  }
  t.same(await (await fetch('https://svc/')).json(), ['svc', 'svc'])
})

t.test('an instance that says it speaks https gets TLS for http: too', async t => {
  const { instance } = await startSecure(t, { scheme: 'https' })
  const { request } = startCalls(t, new MemorySource({ svc: [instance] }), { tls })
  t.same(await (await request('http://svc/')).body.json(), ['svc', 'svc'])
})

t.test('a certificate for another name is refused; calls.tls.servername names the right one', async t => {
  const { instance } = await startSecure(t, { name: 'other' })
  const source = new MemorySource({ other: [instance] })
  const strict = startCalls(t, source, { tls })
  await t.rejects(strict.request('https://other/'), {
    code: 'FST_CONSUL_NO_INSTANCE', cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }
  })
  const named = startCalls(t, source, { tls: { ...tls, servername: 'example.com' } })
  t.same(await (await named.request('https://other/')).body.json(), ['example.com', 'other'])
})

t.test('a Host that no certificate is for is the fault of that call alone', async t => {
  const { instance } = await startSecure(t)
  const { request } = startCalls(t, new MemorySource({ svc: [instance] }), { tls })
  const wrong = { code: 'FST_CONSUL_NO_INSTANCE', cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } }
  const [, ...others] = await Promise.all([
    t.rejects(request('https://svc/', { headers: { host: 'wrong' } }), wrong),
    request('https://svc/'),
    request('https://svc/', { headers: { host: 'example.com' } })
  ])
  t.same(others.map(({ statusCode }) => statusCode), [200, 200])
})

t.test('a certificate of an unknown authority is refused, unless that is switched off', async t => {
  const { instance } = await startSecure(t)
  const source = new MemorySource({ svc: [instance] })
  await t.rejects(startCalls(t, source).request('https://svc/'), {
    code: 'FST_CONSUL_NO_INSTANCE', cause: { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }
  })
  const trusting = startCalls(t, source, { tls: { ...noTls, rejectUnauthorized: false } })
  t.equal((await trusting.request('https://svc/')).statusCode, 200)
})

t.test('a client certificate is shown', async t => {
  const client = await authority.issue('client')
  const { instance } = await startServer(t, 'a', (request, response) => {
    response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN)
  }, { certificate: { ...certificate, ca: authority.ca, requestCert: true } })
  const source = new MemorySource({ svc: [instance] })
  const { request } = startCalls(t, source, { tls: { ...tls, ...client } })
  t.equal(await (await request('https://svc/')).body.text(), 'client')
  await t.rejects(startCalls(t, source, { tls }).request('https://svc/'), Error)
})

t.test('certificates of our own that TLS cannot use are no fault of an instance', async t => {
  const servers = [await startSecure(t, { node: 'n1' }), await startSecure(t, { node: 'n2' })]
  const svc = servers.map(({ instance }) => instance)
  const mine = { ...tls, cert: certificate.cert, key: (await authority.issue('another')).key }
  const { request, fetch, close } = startCalls(t, new MemorySource({ svc }), { tls: mine })
  const outcomes: string[] = []
  const listener = (message: unknown): void => { outcomes.push((message as AttemptMessage).outcome) }
  subscribe('fastify-consul:attempt', listener)
  t.teardown(() => unsubscribe('fastify-consul:attempt', listener))
  const refused = { code: 'FST_CONSUL_INVALID_OPTION', message: /^calls\.tls must be .*, got key values mismatch$/ }
  await t.rejects(request('https://svc/'), refused)
  await t.rejects(request('https://svc/', { method: 'POST', body: 'text' }), refused)
  await t.rejects(fetch('https://svc/'), refused)
  t.same(outcomes, ['neutral', 'neutral', 'neutral'])
  await close()
})

t.test('an instance that speaks no TLS is an error that says so', async t => {
  const { instance } = await startServer(t, 'a')
  const { request } = startCalls(t, new MemorySource({ svc: [instance] }), { tls })
  await t.rejects(request('https://svc/'), { code: 'FST_CONSUL_NO_INSTANCE', cause: { code: /SSL|EPROTO/ } })
})

t.test('later connections resume the TLS session', async t => {
  const server = await startServer(t, 'a', (request, response) => {
    response.setHeader('connection', 'close')
    response.end(String((request.socket as TLSSocket).isSessionReused()))
  }, { certificate })
  const { request } = startCalls(t, new MemorySource({ svc: [server.instance] }), { tls })
  t.equal(await (await request('https://svc/')).body.text(), 'false')
  t.equal(await (await request('https://svc/')).body.text(), 'true')
})

t.test('a process that was busy does not blame it on the instance that it was connecting to', async t => {
  const { instance } = await startSecure(t)
  const { request } = startCalls(t, new MemorySource({ svc: [instance] }), { tls, connectTimeout: 50 })
  const call = request('https://svc/')
  const begun = performance.now()
  while (performance.now() - begun < 110);
  t.equal((await call).statusCode, 200)
})

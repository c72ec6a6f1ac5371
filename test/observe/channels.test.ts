import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { ServiceInstance } from '../../lib/consul/instance.ts'
import { channels } from '../../lib/observe/channels.ts'
import { instance } from '../balancing/helpers.ts'
import { eject, MemorySource, noTls, startCalls, startServer } from '../calls/helpers.ts'
import { certificateAuthority } from '../support/certificates.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/wait.ts'

const outlier = {
  consecutiveFailures: 5, successRate: 0.5, ejectionTime: 5000, maxEjectionTime: 300_000, maxEjected: 0.5
}

type Message = Record<string, unknown>

/** What is published on a channel while the test runs. */
function messagesOf (t: Test, name: string): Message[] {
  const messages: Message[] = []
  const listener = (message: unknown): void => { messages.push(message as Message) }
  subscribe(`fastify-consul:${name}`, listener)
  t.teardown(() => unsubscribe(`fastify-consul:${name}`, listener))
  return messages
}

t.test('a call that goes from instance to instance tells of each pick, attempt and retry', async t => {
  const dead = instance({ id: 'dead', port: await freePort() })
  const refusing = await startServer(t, 'refusing', (_, response) => response.writeHead(503).end())
  const good = await startServer(t, 'well')
  const source = new MemorySource({ svc: [dead, refusing.instance, good.instance] })
  const { request } = startCalls(t, source, { strategy: 'first' })
  const [picks, attempts, retries] = ['pick', 'attempt', 'retry'].map(name => messagesOf(t, name))
  await (await request('http://svc/')).body.text()
  const service = 'svc'
  t.match(picks, [
    { service, instance: { id: 'dead' }, tried: 0 },
    { service, instance: { id: 'refusing' }, tried: 1 },
    { service, instance: { id: 'well' }, tried: 2 }
  ])
  t.match(attempts, [
    { service, instance: { id: 'dead' }, outcome: 'failure', duration: Number, error: { code: 'ECONNREFUSED' } },
    { service, instance: { id: 'refusing' }, outcome: 'failure', duration: Number, status: 503 },
    { service, instance: { id: 'well' }, outcome: 'success', duration: Number, status: 200 }
  ])
  t.match(retries, [
    { service, instance: { id: 'dead' }, sent: false, error: { code: 'ECONNREFUSED' } },
    { service, instance: { id: 'refusing' }, sent: true, error: { message: /503/ } }
  ])
  t.same([picks?.length, attempts?.length, retries?.length], [3, 3, 2])
})

t.test('the end of a call tells what the caller got, from whom, or why not', async t => {
  const refusing = await startServer(t, 'refusing', (_, response) => response.writeHead(503).end())
  const good = await startServer(t, 'well')
  const silent = await startServer(t, 'silent', () => {})
  const source = new MemorySource({ svc: [refusing.instance, good.instance], silent: [silent.instance] })
  const { request } = startCalls(t, source, { strategy: 'first' })
  const ends = messagesOf(t, 'end')
  await (await request('http://svc/')).body.text()
  await t.rejects(request('http://unknown/'))
  await t.rejects(request('http://silent/', { balance: { deadline: 10 } }))
  const none = { instance: undefined, status: undefined }
  t.match(ends, [
    { service: 'svc', instance: { id: 'well' }, status: 200, error: undefined, aborted: false },
    { service: 'unknown', ...none, error: { code: 'FST_CONSUL_NO_INSTANCE' }, aborted: false },
    { service: 'silent', instance: { id: 'silent' }, status: undefined, error: Error, aborted: true }
  ])
  t.equal(ends.length, 3)
})

t.test('a retry is told of once it begins: with nobody left, or aborted before, it never does', async t => {
  const ids = ['one', 'other']
  const nobody = await Promise.all(ids.map(async id => instance({ id, port: await freePort() })))
  const dead = startCalls(t, new MemorySource({ svc: nobody }), { strategy: 'first' })
  const retries = messagesOf(t, 'retry')
  await t.rejects(dead.request('http://svc/'), { code: 'FST_CONSUL_NO_INSTANCE' })
  t.match(retries, [{ instance: { id: 'one' } }])
  t.equal(retries.length, 1)

  const refusing = await startServer(t, 'refusing', (_, response) => response.writeHead(503).end())
  const good = await startServer(t, 'well')
  const source = new MemorySource({ svc: [refusing.instance, good.instance] })
  const { request } = startCalls(t, source, { strategy: 'first', clock: new ManualClock() })
  const abort = new AbortController()
  const call = t.rejects(request('http://svc/', { signal: abort.signal }))
  const attempts = messagesOf(t, 'attempt')
  await until(() => attempts.length === 1)
  abort.abort()
  await call
  t.equal(retries.length, 1)
})

t.test('messages hold the name of the service, however the call spells it', async t => {
  const dead = instance({ id: 'a', name: 'Users', port: await freePort() })
  const good = await startServer(t, 'b', undefined, { name: 'Users' })
  const { request } = startCalls(t, new MemorySource({ users: [dead, good.instance] }), { strategy: 'first' })
  const messages = ['pick', 'attempt', 'retry'].map(name => messagesOf(t, name))
  await (await request('http://Users/')).body.text()
  t.same(messages.map(each => each.map(({ service }) => service)), [['Users', 'Users'], ['Users', 'Users'], ['Users']])
})

t.test('an instance that fails five times in a row is ejected, and back once an attempt has succeeded', async t => {
  let status = 503
  const server = await startServer(t, 'ill', (_, response) => response.writeHead(status).end())
  const good = await startServer(t, 'well')
  const source = new MemorySource({ svc: [server.instance, good.instance] })
  const { request } = startCalls(t, source, { outlier: { ...outlier, ejectionTime: 20 } })
  const [ejections, returns] = ['ejection', 'return'].map(name => messagesOf(t, name))
  const call = async () => { await (await request('http://svc/')).body.text() }
  while (ejections?.length === 0) await call()
  t.equal(server.requests, 5)
  const instance = { id: 'ill' }
  const ejection = { reason: 'consecutive failures', until: Number, failure: 503 }
  t.match(ejections, [{ service: 'svc', instance, ejection }])
  status = 200
  while (returns?.length === 0) await call()
  t.match(returns, [{ service: 'svc', instance, left: false }])
})

t.test('an ejected instance that leaves, turns critical or moves has its one end; one in use has none', async t => {
  const ill = await startServer(t, 'ill', (_, response) => response.writeHead(503).end())
  const good = await startServer(t, 'well')
  const source = new MemorySource({ svc: [ill.instance, good.instance] })
  const calls = startCalls(t, source, { outlier })
  const [ejections, returns] = ['ejection', 'return'].map(name => messagesOf(t, name))
  const leave = [
    () => source.set('svc', [good.instance]),
    () => source.set('svc', [good.instance], true),
    async () => {
      source.set('svc', [new ServiceInstance({ ...ill.instance, address: '127.0.0.2' }), good.instance])
      await (await calls.request('http://svc/')).body.dump()
      source.set('svc', [good.instance])
    }
  ]
  for (const [index, end] of leave.entries()) {
    source.set('svc', [ill.instance, good.instance])
    await eject(calls, ill.instance)
    await end()
    t.equal(returns?.length, index + 1)
  }
  source.set('svc', [])
  t.match(returns, Array(3).fill({ service: 'svc', instance: { id: 'ill' }, left: true }))
  t.equal(ejections?.length, 3)
})

t.test('a response that breaks off is a second message, of a failure', async t => {
  const server = await startServer(t, 'breaking', ({ socket }, response) => {
    response.write('part', () => socket.destroy())
  })
  const { request } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  const attempts = messagesOf(t, 'attempt')
  await t.rejects((await request('http://svc/')).body.text())
  t.match(attempts, [
    { outcome: 'success', status: 200, broken: false }, { outcome: 'failure', error: Error, broken: true }
  ])
})

t.test('nothing is made while nobody listens, whatever happens', async t => {
  let status = 503
  const refused = instance({ id: 'dead', port: await freePort() })
  const ill = await startServer(t, 'ill', (_, response) => response.writeHead(status).end())
  const good = await startServer(t, 'well')
  const source = new MemorySource({ svc: [ill.instance, good.instance], two: [refused, good.instance] })
  const published: object[] = []
  const sink = {
    hasSubscribers: false,
    publish (message: object) {
      published.push(message)
      throw new Error('nobody listens')
    }
  }
  const events = { pick: sink, attempt: sink, retry: sink, ejection: sink, return: sink, end: sink }
  const { request, ejectionOf } = startCalls(t, source, { outlier: { ...outlier, ejectionTime: 20 }, events })
  const call = async () => { await (await request('http://svc/')).body.text() }
  await (await request('http://two/', { balance: { strategy: 'first' } })).body.text()
  while (ejectionOf(ill.instance) === undefined) await call()
  status = 200
  while (ejectionOf(ill.instance) !== undefined) await call()
  status = 503
  while (ejectionOf(ill.instance) === undefined) await call()
  source.set('svc', [good.instance])
  t.same(published, [])
})

t.test('every field of every message is in the documentation, and nothing else', async t => {
  const docs = await readFile(new URL('../../docs/balancing.md', import.meta.url), 'utf8')
  const section = docs.slice(docs.indexOf('## Events'))
  const rows = [...section.matchAll(/^\| `fastify-consul:(\w+)` \| (.+) \| .+ \|$/gm)]
  const documented = new Map(rows.map(([, name, fields = '']) => [name, fields]))
  t.same([...documented.keys()], Object.keys(channels))
  const messages = Object.keys(channels).map(name => [name, messagesOf(t, name)] as const)
  const dead = instance({ id: 'dead', port: await freePort() })
  const ill = await startServer(t, 'ill', (_, response) => response.writeHead(503).end())
  const good = await startServer(t, 'well')
  const source = new MemorySource({ svc: [ill.instance, good.instance], two: [dead, good.instance] })
  const calls = startCalls(t, source, { outlier })
  await (await calls.request('http://two/', { balance: { strategy: 'first' } })).body.text()
  await eject(calls, ill.instance)
  source.set('svc', [good.instance])
  for (const [name, [message = {}]] of messages) {
    const fields = [...documented.get(name)?.matchAll(/`(\w+)`:/g) ?? []].map(([, field]) => field)
    t.same(fields, Object.keys(message).filter(field => field !== 'service' && field !== 'instance'), name)
  }
})

t.test('an attempt that the caller aborts says nothing of its instance', async t => {
  const silent = await startServer(t, 'silent', () => {})
  const { request } = startCalls(t, new MemorySource({ svc: [silent.instance] }))
  const attempts = messagesOf(t, 'attempt')
  await t.rejects(request('http://svc/', { signal: AbortSignal.timeout(50) }))
  t.match(attempts, [{ outcome: 'neutral', status: undefined }])
})

t.test('neither does one that is told to come back later, or that wants a Host the certificate is not for', async t => {
  const full = await startServer(t, 'full', (_, response) => response.writeHead(429).end())
  const authority = await certificateAuthority()
  const secure = await startServer(t, 'secure', undefined, { certificate: await authority.issue('other') })
  const source = new MemorySource({ full: [full.instance], secure: [secure.instance] })
  const { request } = startCalls(t, source, { tls: { ...noTls, ca: authority.ca } })
  const attempts = messagesOf(t, 'attempt')
  await (await request('http://full/')).body.dump()
  await t.rejects(request('https://secure/'), { code: 'FST_CONSUL_NO_INSTANCE' })
  t.match(attempts, [
    { outcome: 'neutral', status: 429 },
    { outcome: 'neutral', error: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } }
  ])
})

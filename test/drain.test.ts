import { EventEmitter } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { request } from 'undici'
import { listeningApp, messages, type TestAppOptions } from './lifecycle/app.ts'
import { agentService, entriesOf, gone, registered } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { startCountingProxy } from './support/counting-proxy.ts'
import { once, until } from './support/wait.ts'

const consul = await startConsul(t)
const { url } = consul

t.test('during the whole drain requests get 200, readiness says draining, and Consul forgets first', async t => {
  const { app, url: own } = await listeningApp(t, { url, service: { name: 'served' }, drain: { delay: 2000 } })
  await registered(consul, 'served', 'passing')
  const closing = app.close()
  await until(() => app.consul.signal.aborted)
  const seen = { ok: 0, other: 0, draining: 0, listedAtTheEnd: true, over: false }
  app.consul.drain().then(() => { seen.over = true })
  while (!seen.over) {
    const isListed = (await entriesOf(consul, 'served')).length > 0
    try {
      const ready = await request(`${own}/health/ready`, { reset: true })
      if (ready.statusCode === 503 && (await ready.body.text()) === '{"status":"draining"}') seen.draining++
      const { statusCode, body } = await request(own, { reset: true })
      await body.dump()
      if (statusCode === 200) seen.ok++
      else if (!seen.over) seen.other++
      seen.listedAtTheEnd = isListed
    } catch {
      break // It does not listen any longer.
    }
  }
  await closing
  t.ok(seen.ok > 5, `${seen.ok} requests were served`)
  t.equal(seen.other, 0)
  t.ok(seen.draining >= seen.ok)
  t.notOk(seen.listedAtTheEnd, 'the catalog had forgotten the service while it was still served')
})

t.test('a request begun before the drain and ended after it is answered, and its connection closes', async t => {
  const handler = new EventEmitter()
  const { app, url: own } = await listeningApp(t, {
    url,
    service: { name: 'begun' },
    drain: { delay: 0 },
    fastify: { keepAliveTimeout: 60_000 },
    routes (app) {
      app.get('/slow', async () => {
        handler.emit('begun')
        await once(handler, 'end')
        return 'slow'
      })
    }
  })
  await registered(consul, 'begun', 'passing')
  const begun = once(handler, 'begun')
  const slow = fetch(`${own}/slow`)
  await begun
  const closing = app.close()
  await gone(consul, 'begun')
  await refused(own)
  handler.emit('end')
  const response = await slow
  t.equal(response.status, 200)
  t.equal(response.headers.get('connection'), 'close')
  t.equal(await response.text(), 'slow')
  const started = performance.now()
  await closing
  t.ok(performance.now() - started < 20_000, 'keep-alive holds nothing up')
})

t.test('a streaming reply whose headers were sent before the drain ends in full and holds up nothing', async t => {
  let write = (_chunk: string): void => {}
  let end = (): void => {}
  const { app, url: own } = await listeningApp(t, {
    url,
    service: { name: 'streaming' },
    drain: { delay: 0 },
    fastify: { keepAliveTimeout: 60_000 },
    routes (app) {
      app.get('/stream', (_, reply) => {
        reply.hijack()
        reply.raw.writeHead(200).write('first ')
        write = chunk => reply.raw.write(chunk)
        end = () => reply.raw.end('last')
      })
    }
  })
  await registered(consul, 'streaming', 'passing')
  const response = await fetch(`${own}/stream`)
  const closing = app.close()
  await gone(consul, 'streaming')
  write('middle ')
  await refused(own)
  end()
  t.equal(await response.text(), 'first middle last')
  const started = performance.now()
  await closing
  t.ok(performance.now() - started < 20_000)
})

t.test('a connection that carries no request holds nothing up', async t => {
  const { app, port } = await listeningApp(t, { url, service: { name: 'preconnected' }, drain: { delay: 0 } })
  await registered(consul, 'preconnected', 'passing')
  const accepted = once(app.server, 'connection')
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  t.teardown(() => socket.destroy())
  await accepted
  await app.close()
  t.notOk(app.server.listening)
})

/** An app whose view of its own service is older than the agent's: the answer that shows the removal is held back. */
async function lagging (
  t: Test, name: string, drain: NonNullable<TestAppOptions['drain']>
): Promise<Awaited<ReturnType<typeof listeningApp>> & { held: Promise<unknown>, show: () => void }> {
  const proxy = await startCountingProxy(t, url)
  const answers = new EventEmitter()
  const held = once(answers, 'held', 60_000)
  const shown = once(answers, 'shown', 60_000)
  t.teardown(() => answers.emit('shown'))
  let wasListed = false
  proxy.answer = async ({ url }) => {
    if (!url.startsWith(`/v1/health/service/${name}`)) return undefined
    const { status, headers, text, json: entries } = await consul.api<unknown[]>('GET', url)
    if (wasListed && entries.length === 0) {
      answers.emit('held')
      await shown
    }
    wasListed = entries.length > 0
    return { status, headers: { 'x-consul-index': String(headers['x-consul-index']) }, body: text }
  }
  const options = { url: proxy.url, service: { name, id: name }, discovery: { wait: '10s' }, drain }
  const listening = await listeningApp(t, options)
  await until(() => listening.app.consul.registration.state === 'registered')
  return { ...listening, held, show: () => answers.emit('shown') }
}

t.test('the server closes when the catalog was seen to have forgotten the service, and not before', async t => {
  const { app, lines, url: own, held, show } = await lagging(t, 'lagging', { delay: 0, timeout: '30s' })
  const closing = app.close()
  await held
  t.equal(await agentService(consul, 'lagging'), undefined, 'the agent has forgotten it')
  for (let round = 0; round < 50; round++) {
    const { statusCode, body } = await request(own, { reset: true })
    await body.dump()
    if (statusCode !== 200) t.equal(statusCode, 200)
  }
  t.ok(app.server.listening)
  show()
  await closing
  t.equal(messages(lines).at(-1), 'Deregistered from Consul')
})

t.test('a removal that is never seen is waited for until drain.timeout, and told', async t => {
  const { app, lines } = await lagging(t, 'unseen', { delay: 200, timeout: 1000 })
  const began = performance.now()
  await app.close()
  const took = performance.now() - began
  t.ok(took > 900 && took < 10_000, `${took} ms`)
  t.match(lines.at(-1), { level: 'warn', message: 'The removal from Consul was not seen in time' })
})

t.test('drain() by hand drains once; the app is served until it closes, which does not drain again', async t => {
  const { app, lines, url: own } = await listeningApp(t, { url, service: { name: 'by-hand' } })
  await registered(consul, 'by-hand', 'passing')
  const { signal } = app.consul
  const drained = app.consul.drain()
  t.equal(app.consul.drain(), drained)
  t.equal(app.consul.registration.state, 'draining')
  t.match(signal, { aborted: true, reason: { code: 'FST_CONSUL_LEAVING', statusCode: 503 } })
  await drained
  t.same(await entriesOf(consul, 'by-hand'), [])
  const response = await fetch(own)
  t.equal(response.status, 200)
  t.equal(response.headers.get('connection'), 'close')
  await Promise.all([app.close(), app.close()])
  t.equal(app.consul.registration.state, 'stopped')
  t.same(messages(lines, 'info'), ['Registered with Consul', 'Deregistered from Consul'])
  await t.rejects(app.consul.register(), { code: 'FST_CONSUL_CLOSED' })
})

t.test('a delay as long as the time-out leaves time to deregister', async t => {
  const { app } = await listeningApp(t, {
    url, service: { name: 'long-delay' }, drain: { delay: 3000, timeout: 3000 }
  })
  const { Service: { ID: id } } = await registered(consul, 'long-delay', 'passing')
  await app.close()
  t.equal(await agentService(consul, id), undefined)
})

t.test('with nothing registered close() waits for nothing', async t => {
  const { app } = await listeningApp(t, { url, service: false, drain: { delay: 20_000, timeout: 30_000 } })
  const started = performance.now()
  await app.close()
  t.ok(performance.now() - started < 15_000)
})

/** The server no longer listens. */
async function refused (url: string): Promise<void> {
  for (;;) {
    try {
      await (await request(url, { reset: true })).body.dump()
    } catch {
      return
    }
  }
}

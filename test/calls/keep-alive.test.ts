import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import t from 'tap'
import type { DiagnosticsChannel } from 'undici'
import type { AttemptMessage } from '../../lib/calls/events.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { until } from '../support/wait.ts'
import { eject, MemorySource, outlier, startCalls, startServer } from './helpers.ts'

/** Serves the first request of a connection and breaks it with the second one. */
function serveOnce (id: string) {
  const served = new WeakSet<object>()
  return ({ socket }: IncomingMessage, response: ServerResponse): void => {
    if (served.has(socket)) socket.destroy()
    else response.end(id)
    served.add(socket)
  }
}

t.test('a connection that was closed while it was idle costs no idempotent request, with one instance too', async t => {
  const server = await startServer(t, 'a', serveOnce('a'))
  const { fetch, request } = startCalls(t, new MemorySource({ svc: [server.instance] }), {
    retryBudget: { ratio: 1, perSecond: 0 }
  })
  for (let call = 0; call < 20; call++) t.equal(await (await fetch('http://svc/')).text(), 'a')
  const bodies = await Promise.all(Array.from({ length: 50 }, async () =>
    await (await request('http://svc/')).body.text()))
  t.same(new Set(bodies), new Set(['a']))
})

t.test('another instance goes before the one whose connection was closed', async t => {
  const [a, b] = [await startServer(t, 'a', serveOnce('a')), await startServer(t, 'b')]
  const { request } = startCalls(t, new MemorySource({ svc: [a.instance, b.instance] }))
  const ids = []
  for (let call = 0; call < 4; call++) ids.push(await (await request('http://svc/')).body.text())
  t.same(ids, ['b', 'a', 'b', 'b'])
})

t.test('but where the call itself decides who gets it, it stays there', async t => {
  const servers = await Promise.all(['a', 'b'].map(id => startServer(t, id, serveOnce(id))))
  const svc = servers.map(({ instance }) => instance)
  for (const strategy of ['consistent-hash', 'first', (all: readonly ServiceInstance[]) => all[0]] as const) {
    const { request } = startCalls(t, new MemorySource({ svc }), { strategy })
    const ids = new Set<string>()
    for (let call = 0; call < 10; call++) {
      ids.add(await (await request('http://svc/', { balance: { key: 'user' } })).body.text())
    }
    t.equal(ids.size, 1)
  }
})

t.test('that one goes before an instance that is ejected', async t => {
  const [a, ill] = [
    await startServer(t, 'a', serveOnce('a')), await startServer(t, 'b', (_, response) => response.writeHead(503).end())
  ]
  for (const strategy of ['round-robin', 'first'] as const) {
    const calls = startCalls(t, new MemorySource({ svc: [a.instance, ill.instance] }), { strategy, outlier })
    await eject(calls, ill.instance)
    const before = ill.requests
    for (let call = 0; call < 4; call++) t.equal(await (await calls.request('http://svc/')).body.text(), 'a')
    t.equal(ill.requests, before, strategy)
  }
})

t.test('a connection that breaks with its first request is the instance\'s fault', async t => {
  const server = await startServer(t, 'a', ({ socket }) => { socket.destroy() })
  const { request } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  await t.rejects(request('http://svc/'), { code: 'UND_ERR_SOCKET' })
  t.equal(server.requests, 1)
})

for (const { breaksAt, outcome } of [{ breaksAt: 2, outcome: 'failure' }, { breaksAt: 3, outcome: 'neutral' }]) {
  t.test(`one that the instance ends with its answer is a new one for the next in line: ${outcome}`, async t => {
    const attempts: AttemptMessage[] = []
    const listener = (message: unknown): void => { attempts.push(message as AttemptMessage) }
    subscribe('fastify-consul:attempt', listener)
    t.teardown(() => unsubscribe('fastify-consul:attempt', listener))
    const server = await startServer(t, 'a', ({ socket }, response) => {
      if (server.requests === 1) response.setHeader('connection', 'close')
      if (server.requests === breaksAt) socket.destroy()
      else response.end('a')
    })
    const { request } = startCalls(t, new MemorySource({ svc: [server.instance] }), { connections: 1, retries: 0 })
    const ask = async (): Promise<unknown> => await (await request('http://svc/')).body.text()
    const calls = [1, 2, 3].map(async () => await ask().catch(({ code }) => code))
    t.same(await Promise.all(calls), ['a', 'a', 'a'].with(breaksAt - 1, 'UND_ERR_SOCKET'))
    t.match(attempts[breaksAt - 1], { outcome })
  })
}

t.test('a request of another kind that met such a connection is not sent twice', async t => {
  const server = await startServer(t, 'a', serveOnce('a'))
  const { request } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  await (await request('http://svc/', { method: 'POST' })).body.dump()
  await t.rejects(request('http://svc/', { method: 'POST' }), { code: 'UND_ERR_SOCKET' })
  t.equal(await (await request('http://svc/', { method: 'POST' })).body.text(), 'a')
  t.equal(server.requests, 3)
})

t.test('a connection known to be closed is not used, whatever the method', async t => {
  const server = await startServer(t, 'a')
  const { request } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  const sockets: DiagnosticsChannel.ClientConnectedMessage['socket'][] = []
  const collect = (message: unknown): void => {
    sockets.push((message as DiagnosticsChannel.ClientConnectedMessage).socket)
  }
  subscribe('undici:client:connected', collect)
  t.teardown(() => unsubscribe('undici:client:connected', collect))
  for (let call = 0; call < 20; call++) {
    t.equal(await (await request('http://svc/', { method: 'POST', body: 'x' })).body.text(), 'a')
    server.server.closeIdleConnections()
    await until(() => sockets.length === call + 1 && sockets.every(({ destroyed }) => destroyed), { interval: 1 })
  }
  t.equal(server.requests, 20, 'none was sent twice')
})

// lib/calls/instance-pool.ts

t.test('the limit is one of the instance, however its service is spelt', async t => {
  let most = 0
  let open = 0
  const hosts = new Set<string | undefined>()
  const server = await startServer(t, 'a', ({ headers }, response) => {
    hosts.add(headers.host)
    setTimeout(() => response.end('a'), 2)
  }, { tags: ['v1'] })
  server.server.on('connection', socket => {
    most = Math.max(most, ++open)
    socket.on('close', () => open--)
  })
  const names = [
    'svc', 'svc.service.consul', 'v1.svc.service.consul', 'svc.service.dc1.consul', 'v1.svc.service.dc1.consul'
  ]
  const { request } = startCalls(t, new MemorySource({ svc: [server.instance] }), { connections: 3 })
  for (let round = 0; round < 10; round++) {
    await Promise.all(names.map(async name => await (await request(`http://${name}/`)).body.text()))
  }
  t.same([...hosts].sort(), [...names].sort())
  t.equal(server.requests, 50)
  t.equal(most <= 4, true, `${most} with one that was closing`)
})

t.test('who waits when an instance leaves goes to another one, and fails if there is none', async t => {
  const slow = await startServer(t, 'a', (_, response) => { slow.server.once('answer', () => response.end('a')) })
  const other = await startServer(t, 'b')
  const source = new MemorySource({ svc: [slow.instance] })
  const { request } = startCalls(t, source, { strategy: 'first', connections: 1, retries: 0 })
  const call = async () => await (await request('http://svc/', { method: 'POST', body: 'x' })).body.text()
  const running = call()
  await once(slow.server, 'request')
  const waiting = [call(), call()]
  source.set('svc', [other.instance])
  t.same(await Promise.all(waiting), ['b', 'b'], 'while the first is still running')
  slow.server.emit('answer')
  t.equal(await running, 'a')

  source.set('svc', [slow.instance])
  const last = call()
  await once(slow.server, 'request')
  const alone = t.rejects(call(), { code: 'FST_CONSUL_NO_INSTANCE' })
  source.set('svc', [])
  await alone
  slow.server.emit('answer')
  t.equal(await last, 'a')
})

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import t from 'tap'
import type { DiagnosticsChannel } from 'undici'
import { until } from '../support/wait.ts'
import { MemorySource, startCalls, startServer } from './helpers.ts'

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
  const { request } = startCalls(t, new MemorySource({ svc: [a.instance, b.instance] }), { strategy: 'first' })
  const ids = []
  for (let call = 0; call < 4; call++) ids.push(await (await request('http://svc/')).body.text())
  t.same(ids, ['a', 'b', 'a', 'b'])
})

t.test('a connection that breaks with its first request is the instance\'s fault', async t => {
  const server = await startServer(t, 'a', ({ socket }) => { socket.destroy() })
  const { request } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  await t.rejects(request('http://svc/'), { code: 'UND_ERR_SOCKET' })
  t.equal(server.requests, 1)
})

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

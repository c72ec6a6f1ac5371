import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { Limits } from '../../lib/calls/limits.ts'
import { Lines } from '../../lib/calls/lines.ts'
import { Pools } from '../../lib/calls/pools.ts'
import { systemClock } from '../../lib/clock.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { endpointOf, instance } from '../balancing/helpers.ts'
import { certificateAuthority } from '../support/certificates.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/wait.ts'
import { eject, MemorySource, noTls, outlier, startCalls, startServer, type TestServer } from './helpers.ts'

const get = { origin: 'http://svc', path: '/', method: 'GET' } as const

t.test('an instance that leaves ends what it was asked; idle connections close at once', async t => {
  const slow = await startServer(t, 'a', ({ url }, response) => {
    if (url === '/slow') slow.server.once('answer', () => response.end('late'))
    else response.end('a')
  })
  const source = new MemorySource({ svc: [slow.instance] })
  const { dispatcher } = startCalls(t, source)
  const running = dispatcher.request({ ...get, path: '/slow' })
  await once(slow.server, 'request')
  await (await dispatcher.request(get)).body.text()
  t.equal(await slow.connections(), 2)
  source.set('svc', [])
  await until(async () => await slow.connections() === 1)
  await t.rejects(dispatcher.request(get), { code: 'FST_CONSUL_NO_INSTANCE' })
  slow.server.emit('answer')
  t.equal(await (await running).body.text(), 'late')
  await until(async () => await slow.connections() === 0)
})

t.test('an instance that comes back is called again', async t => {
  const server = await startServer(t, 'a')
  const source = new MemorySource({ svc: [server.instance] })
  const { request } = startCalls(t, source)
  for (let round = 0; round < 3; round++) {
    t.equal(await (await request('http://svc/')).body.text(), 'a')
    source.set('svc', [])
    source.set('svc', [server.instance])
  }
})

t.test('over a flap the connections are kept, for a while', async t => {
  const server = await startServer(t, 'a')
  const source = new MemorySource({ svc: [server.instance] })
  server.server.keepAliveTimeout = 60_000
  const clock = new ManualClock()
  const { request } = startCalls(t, source, { clock })
  let opened = 0
  server.server.on('connection', () => opened++)
  for (let round = 0; round < 3; round++) {
    t.equal(await (await request('http://svc/')).body.text(), 'a')
    source.set('svc', [], true)
    await t.rejects(request('http://svc/'), { code: 'FST_CONSUL_NO_INSTANCE' })
    clock.advance(9999)
    source.set('svc', [server.instance])
  }
  t.equal(await (await request('http://svc/')).body.text(), 'a')
  t.equal(opened, 1)
  source.set('svc', [], true)
  clock.advance(10_000)
  await until(async () => await server.connections() === 0)
})

t.test('calls that end close the connections that are kept, too', async t => {
  for (const way of ['close', 'destroy'] as const) {
    const slow = await startServer(t, 'a', ({ url }, response) => {
      if (url === '/slow') slow.server.once('answer', () => response.end('late'))
      else response.end('a')
    })
    slow.server.keepAliveTimeout = 60_000
    const source = new MemorySource({ svc: [slow.instance] })
    const calls = startCalls(t, source, { clock: new ManualClock() })
    const running = calls.request('http://svc/slow').then(({ body }) => body.text(), ({ code }) => code)
    await once(slow.server, 'request')
    await (await calls.request('http://svc/')).body.text()
    source.set('svc', [], true)
    t.equal(await slow.connections(), 2)
    const ended = calls[way]()
    slow.server.emit('answer')
    t.equal(await running, way === 'close' ? 'late' : 'UND_ERR_DESTROYED')
    await ended
    await until(async () => await slow.connections() === 0)
  }
})

t.test('an instance that moves under its id is called where it is now, and no more where it was', async t => {
  const old = await startServer(t, 'a', (_, response) => response.end('old'))
  const moved = await startServer(t, 'a', (_, response) => response.end('moved'))
  const source = new MemorySource({ svc: [old.instance] })
  const { request } = startCalls(t, source)
  t.equal(await (await request('http://svc/')).body.text(), 'old')
  source.set('svc', [moved.instance])
  t.equal(await (await request('http://svc/')).body.text(), 'moved')
  await until(async () => await old.connections() === 0)
})

t.test('a change of status keeps the connection', async t => {
  const server = await startServer(t, 'a')
  let opened = 0
  server.server.on('connection', () => opened++)
  const source = new MemorySource({ svc: [server.instance] })
  const { request } = startCalls(t, source)
  const callTenTimes = async () => {
    for (let call = 0; call < 10; call++) await (await request('http://svc/')).body.text()
  }
  await callTenTimes()
  const before = opened
  const { address, port } = server.instance
  source.set('svc', [instance({ id: 'a', address, port, status: 'warning' })])
  await callTenTimes()
  t.equal(opened, before)
})

t.test('there are never more connections to an instance than the limit', async t => {
  let most = 0
  let open = 0
  const server = await startServer(t, 'a', (_, response) => { setTimeout(() => response.end('a'), 2) })
  server.server.on('connection', socket => {
    most = Math.max(most, ++open)
    socket.on('close', () => open--)
  })
  const { request } = startCalls(t, new MemorySource({ svc: [server.instance] }), { connections: 3 })
  await Promise.all(Array.from({ length: 50 }, async () => await (await request('http://svc/')).body.text()))
  t.equal(server.requests, 50)
  t.equal(most, 3)
})

t.test('nobody waits in line for an instance while another one has room', async t => {
  const busy = await startServer(t, 'a', (_, response) => { busy.server.once('answer', () => response.end('a')) })
  const other = await startServer(t, 'b')
  const source = new MemorySource({ svc: [busy.instance, other.instance] })
  const { request } = startCalls(t, source, { strategy: 'first', connections: 2 })
  const ask = async (): Promise<string> => await (await request('http://svc/')).body.text()
  const waiting = [ask(), ask()]
  await until(() => busy.requests === 2)
  t.same([await ask(), await ask()], ['b', 'b'])
  source.set('svc', [busy.instance])
  const last = ask()
  busy.server.emit('answer')
  await until(() => busy.requests === 3)
  busy.server.emit('answer')
  t.same(await Promise.all([...waiting, last]), ['a', 'a', 'a'])
})

t.test('while others are busy, nobody goes to an instance that is ejected, or has weight 0', async t => {
  const busy = await startServer(t, 'a', (_, response) => { busy.server.once('answer', () => response.end('a')) })
  const ill = await startServer(t, 'b', (_, response) => response.writeHead(503).end())
  const spare = await startServer(t, 'c', undefined, { weights: { passing: 0, warning: 0 } })
  for (const strategy of ['round-robin', 'first', (all: readonly ServiceInstance[]) => all[0]] as const) {
    const source = new MemorySource({ svc: [busy.instance, ill.instance, spare.instance] })
    const calls = startCalls(t, source, { strategy, connections: 1, outlier })
    await eject(calls, ill.instance)
    const [before, ejectedBefore] = [busy.requests, ill.requests]
    const ask = async (): Promise<string> => await (await calls.request('http://svc/')).body.text()
    const waiting = [ask(), ask(), ask()]
    for (let answered = 1; answered <= 3; answered++) {
      await until(() => busy.requests === before + answered)
      busy.server.emit('answer')
    }
    t.same(await Promise.all(waiting), ['a', 'a', 'a'], String(strategy))
    t.same([ill.requests - ejectedBefore, spare.requests], [0, 0])
  }
})

t.test('where all are busy, a call waits for the one that the strategy wants', async t => {
  const servers = await Promise.all([...'abcdefg'].map(async id => {
    const server = await startServer(t, id, (_, response) => { server.server.once('answer', () => response.end(id)) })
    return server
  }))
  const source = new MemorySource({ svc: servers.map(({ instance }) => instance) })
  const { request } = startCalls(t, source, { strategy: 'first', connections: 1 })
  const only = servers.map(({ instance: { id } }) => ({
    strategy: (all: readonly ServiceInstance[]) => all.find(each => each.id === id)
  }))
  const running = only.map(balance => request('http://svc/', { balance }))
  await until(() => servers.every(({ requests }) => requests === 1))
  const last = request('http://svc/')
  servers[0]?.server.emit('answer')
  await until(() => servers[0]?.requests === 2)
  for (const { server } of servers) server.emit('answer')
  for (const call of [...running, last]) await (await call).body.dump()
})

t.test('nothing is left of two hundred instances that came and went', async t => {
  const server = await startServer(t, 'a')
  const { address, port } = server.instance
  const source = new MemorySource()
  const { request } = startCalls(t, source)
  for (let round = 0; round < 200; round++) {
    source.set('svc', [instance({ id: `i${round}`, address, port })])
    await (await request('http://svc/')).body.text()
  }
  source.set('svc', [])
  await until(async () => await server.connections() === 0)
  t.equal(server.requests, 200)
})

t.test('pools are forgotten once their instance has left and the last request has ended', async t => {
  const options = { connectTimeout: 1000, connections: 4, tls: noTls }
  const pools = new Pools(options, new Limits(systemClock), new Lines(systemClock))
  const endpoints = Array.from({ length: 10 }, (_, index) => endpointOf(instance({ id: `i${index}` })))
  for (const endpoint of endpoints) {
    t.equal(pools.of(endpoint), pools.of(endpoint))
  }
  t.equal(pools.size, 10)
  for (const endpoint of endpoints) pools.drop(endpoint)
  await until(() => pools.size === 0)
})

t.test('invalid requests cost no connection', async t => {
  const server = await startServer(t, 'a')
  let opened = 0
  server.server.on('connection', () => opened++)
  const { request } = startCalls(t, new MemorySource({ svc: [server.instance] }), { connections: 1 })
  const headers = { 'bad header': 'x' }
  for (let call = 0; call < 3; call++) {
    t.equal(await (await request('http://svc/')).body.text(), 'a')
    await t.rejects(request('http://svc/', { headers }), { code: 'UND_ERR_INVALID_ARG' })
  }
  const busy = request('http://svc/')
  const queued = Array.from({ length: 5000 }, () => request('http://svc/', { headers }).catch(({ code }) => code))
  const last = request('http://svc/')
  t.equal(await (await busy).body.text(), 'a')
  t.same(new Set(await Promise.all(queued)), new Set(['UND_ERR_INVALID_ARG']))
  t.equal(await (await last).body.text(), 'a')
  t.equal(opened, 1)
})

t.test('a handler that throws while the line is served keeps nobody in it', async t => {
  const server = await startServer(t, 'a', (_, response) => { server.server.once('answer', () => response.end('a')) })
  const { dispatcher, request } = startCalls(t, new MemorySource({ svc: [server.instance] }), { connections: 1 })
  const first = request('http://svc/')
  await once(server.server, 'request')
  const thrown = once(process, 'uncaughtException')
  dispatcher.dispatch({ ...get, path: 'invalid' }, {
    onConnect () {},
    onError () { throw new Error('from the handler') }
  })
  const third = request('http://svc/')
  server.server.emit('answer')
  t.equal(await (await first).body.text(), 'a')
  t.match(await thrown, [{ message: 'from the handler' }])
  await until(() => server.server.emit('answer'))
  t.equal(await (await third).body.text(), 'a')
})

t.test('where no connection can be made, all who wait for one fail at once', async t => {
  const hung: Socket[] = []
  const silent = createServer(socket => hung.push(socket)).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => {
    for (const socket of hung) socket.destroy()
    silent.close()
  })
  const { port } = silent.address() as AddressInfo
  const source = new MemorySource({ svc: [instance({ port, scheme: 'https' })] })
  const { request } = startCalls(t, source, { connections: 2, connectTimeout: 1000 })
  const begun = performance.now()
  await Promise.all(Array.from({ length: 20 }, () =>
    t.rejects(request('http://svc/'), { code: 'FST_CONSUL_NO_INSTANCE', cause: { code: 'UND_ERR_CONNECT_TIMEOUT' } })))
  t.equal(performance.now() - begun < 6000, true, 'not one after the other')
  await t.rejects(request('http://svc/'), { code: 'FST_CONSUL_NO_INSTANCE' }, 'the next one tries again')
})

t.test('who waits in line for an instance that refuses connections does not knock too', async t => {
  let dials = 0
  const count = () => { dials++ }
  subscribe('undici:client:beforeConnect', count)
  t.teardown(() => unsubscribe('undici:client:beforeConnect', count))
  const source = new MemorySource({ svc: [instance({ port: await freePort() })] })
  const { request } = startCalls(t, source, { connections: 2 })
  await Promise.all(Array.from({ length: 100 }, () =>
    t.rejects(request('http://svc/'), { code: 'FST_CONSUL_NO_INSTANCE', cause: { code: 'ECONNREFUSED' } })))
  t.equal(dials, 2, 'as many as the limit')
})

t.test('what had been queued behind a failed connection leaves none open', async t => {
  const authority = await certificateAuthority()
  const certificate = await authority.issue('svc')
  const secure = await startServer(t, 'a', ({ url }, response) => {
    if (url === '/slow') secure.server.once('answer', () => response.end('late'))
    else response.end('a')
  }, { certificate, scheme: 'https' })
  const front = await startFront(t, secure)
  const source = new MemorySource({ svc: [instance({ port: front.port, scheme: 'https' })] })
  const { request } = startCalls(t, source, { connections: 2, tls: { ...noTls, ca: authority.ca } })
  const running = request('http://svc/slow')
  await once(secure.server, 'request')
  front.refuseNext()
  const [refused, ...queued] = await Promise.allSettled(Array.from({ length: 4 }, async () =>
    await (await request('http://svc/')).body.text()))
  t.equal(refused?.status, 'rejected')
  t.same(queued.map(({ status }) => status), ['fulfilled', 'fulfilled', 'fulfilled'])
  source.set('svc', [])
  secure.server.emit('answer')
  t.equal(await (await running).body.text(), 'late')
  await until(() => front.open() === 0)
})

/** A TCP front for a TLS server that can break one connection before the handshake. */
async function startFront (t: Parameters<typeof startServer>[0], { server }: TestServer) {
  let refuse = false
  let open = 0
  const front = createServer(socket => {
    open++
    socket.on('close', () => open--)
    if (refuse) socket.destroy()
    else server.emit('connection', socket)
    refuse = false
  }).listen(0, '127.0.0.1')
  await once(front, 'listening')
  t.teardown(() => { front.close() })
  return { port: (front.address() as AddressInfo).port, open: () => open, refuseNext: () => { refuse = true } }
}

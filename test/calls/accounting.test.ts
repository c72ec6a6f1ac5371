import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { Dispatcher } from 'undici'
import { Endpoint } from '../../lib/balancing/endpoint.ts'
import type { Random } from '../../lib/clock.ts'
import type { BalancedDispatchOptions } from '../../lib/calls/dispatcher.ts'
import type { AttemptMessage } from '../../lib/calls/events.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { instance, seeded, tally } from '../balancing/helpers.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/wait.ts'
import { startBlackHole } from './black-hole.ts'
import { lateClock, MemorySource, outlier, startCalls, startServer } from './helpers.ts'

/** Every endpoint that had an attempt. */
const seen = new Set<Endpoint>()
/** How many attempts were begun, and of how many it was said how they went. */
const told = { begun: 0, recorded: 0 }
const { begin, record, end } = Endpoint.prototype

t.before(() => {
  Endpoint.prototype.begin = function () {
    seen.add(this)
    told.begun++
    begin.call(this)
  }
  Endpoint.prototype.record = function (...outcome) {
    told.recorded++
    record.apply(this, outcome)
  }
  Endpoint.prototype.end = function () {
    end.call(this)
    if (this.outstanding < 0) throw new Error('ended more often than begun')
  }
})

t.teardown(() => Object.assign(Endpoint.prototype, { begin, record, end }))

function choose (random: Random) {
  return <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
}

/** Sends a request and tells how often its handler was told of a start and of an end. */
function dispatch (dispatcher: Dispatcher, options: BalancedDispatchOptions, abortAfter: number | undefined) {
  const told = { starts: 0, ends: 0, afterEnd: 0, how: '' }
  const watched = (how?: string) => {
    if (told.ends > 0) told.afterEnd++
    if (how !== undefined) {
      told.ends++
      told.how = how
    }
  }
  const handler: Dispatcher.DispatchHandler = {
    onConnect (abort) {
      watched()
      told.starts++
      if (abortAfter === 0) abort()
      else if (abortAfter !== undefined) setTimeout(abort, abortAfter)
    },
    onHeaders (_status, _headers, resume) {
      watched()
      setImmediate(resume)
      return false
    },
    onData () {
      watched()
      return true
    },
    onComplete: () => watched('completed'),
    onUpgrade (_status, _headers, socket) {
      watched('upgraded')
      socket.on('error', () => {}).destroy()
    },
    onError: error => watched('code' in error ? String(error.code) : error.name)
  }
  dispatcher.dispatch(options, handler)
  return told
}

t.test('whatever happens, every call begins and ends once, and so does every attempt', async t => {
  const oneOf = choose(seeded(7))
  const moodOf = choose(seeded(8))
  let cut = 0
  const moody = async (id: string) => await startServer(t, id, async ({ socket }, response) => {
    const mood = moodOf(['fine', 'fine', 'fine', 'slow', 'silent', 'broken', 'cut', 'refusing'])
    if (mood === 'slow') await delay(moodOf([5, 20]))
    if (mood === 'broken') socket.destroy()
    if (mood === 'cut') cut++
    if (mood === 'cut') response.write('half', () => socket.destroy())
    if (mood === 'refusing') response.writeHead(503).end('not now')
    if (mood === 'fine' || mood === 'slow') response.end('whole')
  })
  const living = await Promise.all(['a', 'b', 'c'].map(moody))
  for (const { server } of living) {
    server.on('upgrade', (_, socket) => {
      socket.on('error', () => {})
      if (moodOf([true, false, false])) socket.destroy()
      else socket.write('HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
    })
  }
  const all: readonly ServiceInstance[] = [
    ...living.map(({ instance }) => instance),
    instance({ id: 'refuses', port: await freePort() }),
    instance({ id: 'swallows', port: await startBlackHole(t) })
  ]
  const source = new MemorySource({ svc: all })
  const { dispatcher } = startCalls(t, source, { connections: 4, timeout: 150, connectTimeout: 25 })

  const calls: ReturnType<typeof dispatch>[] = []
  for (let call = 0; call < 1000; call++) {
    const options = {
      origin: 'http://svc',
      path: '/',
      ...oneOf<() => object>([
        () => ({ method: 'GET' }),
        () => ({ method: 'POST', body: 'text' }),
        () => ({ method: 'PUT', body: ['some', 'parts'] }),
        () => ({ method: 'POST', body: Readable.from(['a', 'stream']) }),
        () => ({ method: 'GET', upgrade: 'x' }),
        () => ({ method: 'GET', headers: { 'bad header': '' } })
      ])(),
      balance: { strategy: oneOf(['round-robin', 'random'] as const), deadline: oneOf([0, 0, 10, 40]) }
    } as BalancedDispatchOptions
    calls.push(dispatch(dispatcher, options, oneOf([undefined, undefined, undefined, 0, 1, 10, 30])))
    if (call % 40 === 0) source.set('svc', all.filter(() => oneOf([true, true, false])))
    if (call % 60 === 20) source.hold()
    if (call % 60 === 30) source.release(call % 180 === 30 ? new Error('no discovery') : undefined)
    // As many at a time as the machine can take, so that calls end for all the reasons that there are.
    await until(() => calls.filter(({ ends }) => ends === 0).length < 30, { interval: 1 })
  }
  source.release()
  await until(() => calls.every(({ ends }) => ends > 0), { what: 'the end of every call' })
  await until(() => [...seen].every(({ outstanding }) => outstanding === 0), { what: 'the end of every attempt' })
  await dispatcher.close()
  const twice = told.recorded - told.begun
  t.equal(twice > 0 && twice <= cut, true, `${twice} of ${cut} cut responses were a success before they failed`)

  t.same(tally(calls.map(({ starts, ends, afterEnd }) => `${starts} ${ends} ${afterEnd}`)), { '1 1 0': calls.length })
  const reasons = tally(calls.map(({ how }) => how))
  t.comment(reasons)
  t.equal(Object.keys(reasons).length >= 5, true, 'calls ended in many ways')
  t.equal(seen.size >= all.length, true, 'every instance was tried')
})

t.test('an upgraded connection counts until it closes', async t => {
  const { instance, server } = await startServer(t, 'a')
  server.on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
    socket.on('end', () => socket.end()).resume()
  })
  seen.clear()
  const clock = new ManualClock()
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [instance] }), { timeout: 50, clock })
  const options: Dispatcher.UpgradeOptions & { origin: string } = { origin: 'http://svc', path: '/', protocol: 'x' }
  const { socket } = await dispatcher.upgrade(options)
  clock.advance(80)
  const [endpoint] = seen as unknown as [Endpoint]
  t.equal(endpoint.outstanding, 1)
  socket.resume().end()
  await once(socket, 'close')
  t.equal(endpoint.outstanding, 0)
})

t.test('an error that comes sooner than a proper response is load until then, and holds up nobody', async t => {
  const clock = new ManualClock()
  const { instance, connections } = await startServer(t, 'a', ({ url }, response) => {
    if (url === '/') clock.advance(10)
    response.writeHead(url === '/' ? 200 : Number(url?.slice(1)), { 'x-consul-no-instance': '1' }).end()
  })
  for (const end of ['close', 'destroy'] as const) {
    seen.clear()
    const { dispatcher, request } = startCalls(t, new MemorySource({ svc: [instance] }), { connections: 1, clock })
    const get = async (path: string) => await (await request(`http://svc${path}`)).body.dump()
    await get('/404')
    const [endpoint] = seen as unknown as [Endpoint]
    t.equal(endpoint.outstanding, 0, 'nothing is known of proper ones')
    await get('/')
    t.equal(endpoint.outstanding, 0)
    for (const status of [404, 429, 500, 503]) await get(`/${status}`)
    t.equal(endpoint.outstanding, 4)
    t.equal(await connections(), 1)
    clock.advance(9)
    await get('/404')
    t.equal(endpoint.outstanding, 5)
    clock.advance(1)
    t.equal(endpoint.outstanding, 1)
    await dispatcher[end]()
    t.equal(endpoint.outstanding, 0, `it ends with ${end}()`)
    t.same(clock.pending.filter(ms => ms < 100), [])
  }
})

t.test('one of three that answers errors at once gets about its share of callers that wait for answers', async t => {
  for (const strategy of ['least-request', 'peak-ewma'] as const) {
    const servers = await Promise.all(['bad', 'b', 'c'].map(async id => await startServer(t, id, (_, response) => {
      if (id === 'bad') response.writeHead(500).end()
      else setTimeout(() => response.end(), 20)
    })))
    const { request } = startCalls(t, new MemorySource({ svc: servers.map(({ instance }) => instance) }), { strategy })
    const get = async () => await (await request('http://svc/')).body.dump()
    for (let call = 0; call < 9; call++) await get()
    const before = servers[0]!.requests
    let left = 300
    await Promise.all(Array.from({ length: 10 }, async () => {
      while (left-- > 0) await get()
    }))
    const share = (servers[0]!.requests - before) / 3
    t.equal(share > 1 && share < 50, true, `${share} % of ${strategy}`)
  }
})

/** So that one may be ejected; the strategy `first` does not send it anything. */
const another = instance({ id: 'z', port: 1 })

t.test('a timeout is the instance\'s fault, unless this process is what was late', async t => {
  for (const delay of [0, 2000]) {
    seen.clear()
    const { instance, ...server } = await startServer(t, 'silent', () => {})
    const clock = new ManualClock()
    const { request, ejectionOf } = startCalls(t, new MemorySource({ svc: [instance, another] }), {
      strategy: 'first', timeout: 1000, retries: 0, outlier, clock: lateClock(clock, delay)
    })
    const messages: Pick<AttemptMessage, 'outcome' | 'duration'>[] = []
    const listener = (message: unknown) => { messages.push(message as AttemptMessage) }
    subscribe('fastify-consul:attempt', listener)
    for (let call = 1; call <= 5; call++) {
      const failed = t.rejects(request('http://svc/'), { code: 'FST_CONSUL_ATTEMPT_TIMEOUT' })
      await once(server.server, 'request')
      clock.advance(1000 + delay)
      // What may have arrived is read first, and the limit starts anew once.
      if (delay > 0) clock.advance(20 + delay + 1000 + delay + 20 + delay)
      await failed
    }
    unsubscribe('fastify-consul:attempt', listener)
    const [endpoint] = seen as unknown as [Endpoint]
    const told = messages.map(({ outcome, duration }) => ({ outcome, duration }))
    const isLate = delay > 0
    const expected = isLate ? { outcome: 'neutral', duration: 10_040 } : { outcome: 'failure', duration: 1000 }
    t.same(told, Array(5).fill(expected))
    t.equal(ejectionOf(instance)?.reason, isLate ? undefined : 'consecutive failures')
    t.equal(endpoint.latencyLevel > -Infinity, !isLate, 'that it was slow is known, or nothing is')
  }
})

t.test('an instance that never answers within the deadline is ejected, unless this process was late', async t => {
  const { instance, server } = await startServer(t, 'silent', () => {})
  for (const late of [0, 2000]) {
    const clock = new ManualClock()
    const { request, ejectionOf } = startCalls(t, new MemorySource({ svc: [instance, another] }), {
      strategy: 'first', timeout: 30_000, deadline: 1000, retries: 0, outlier, clock: lateClock(clock, late)
    })
    for (let call = 1; call <= 5; call++) {
      t.equal(ejectionOf(instance), undefined)
      const failed = t.rejects(request('http://svc/'), { code: 'FST_CONSUL_DEADLINE' })
      await once(server, 'request')
      clock.advance(1000 + late)
      if (late > 0) clock.advance(20 + late)
      await failed
    }
    t.equal(ejectionOf(instance)?.reason, late > 0 ? undefined : 'consecutive failures')
  }
})

t.test('an instance that breaks off every response is ejected; a refusal that breaks off is one failure', async t => {
  const clock = new ManualClock()
  let status = 200
  const { instance } = await startServer(t, 'breaking', ({ socket }, response) => {
    response.writeHead(status).write('half', () => socket.destroy())
  })
  const { request, ejectionOf } = startCalls(t, new MemorySource({ svc: [instance, another], one: [instance] }), {
    strategy: 'first', retries: 0, outlier, clock
  })
  const outcomes: string[] = []
  const listener = (message: unknown) => { outcomes.push((message as AttemptMessage).outcome) }
  subscribe('fastify-consul:attempt', listener)
  t.teardown(() => unsubscribe('fastify-consul:attempt', listener))
  const fail = async () => {
    await t.rejects(request('http://svc/').then(({ body }) => body.text()))
    clock.advance(110)
  }
  for (let call = 1; call <= 4; call++) await fail()
  t.equal(ejectionOf(instance), undefined)
  await fail()
  t.equal(ejectionOf(instance)?.reason, 'consecutive failures')
  status = 503
  outcomes.length = 0
  await t.rejects(request('http://one/').then(({ body }) => body.text()))
  t.same(outcomes, ['failure'])
})

t.test('so is one whose responses cannot be read to their end, or do not go on', async t => {
  const head = 'HTTP/1.1 200 OK\r\n'
  const ends = [
    [`${head}transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nnonsense\r\n`, { name: 'HTTPParserError' }],
    [`${head}content-length: 8\r\n\r\nhalf`, { code: 'UND_ERR_BODY_TIMEOUT' }]
  ] as const
  for (const [response, error] of ends) {
    const clock = new ManualClock()
    const { instance } = await startServer(t, 'a', ({ socket }) => { socket.write(response) })
    const { request, ejectionOf } = startCalls(t, new MemorySource({ svc: [instance, another] }), {
      strategy: 'first', retries: 0, outlier, clock
    })
    for (let call = 1; call <= 5; call++) {
      t.equal(ejectionOf(instance), undefined)
      const { body } = await request('http://svc/', { bodyTimeout: 50 })
      await t.rejects(body.text(), error)
      clock.advance(110)
    }
    t.equal(ejectionOf(instance)?.reason, 'consecutive failures')
  }
})

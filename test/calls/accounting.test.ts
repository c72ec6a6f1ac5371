import { once } from 'node:events'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { Dispatcher } from 'undici'
import { Endpoint } from '../../lib/balancing/endpoint.ts'
import type { Random } from '../../lib/clock.ts'
import type { BalancedDispatchOptions } from '../../lib/calls/dispatcher.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { instance, seeded, tally } from '../balancing/helpers.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/wait.ts'
import { startBlackHole } from './black-hole.ts'
import { MemorySource, startCalls, startServer } from './helpers.ts'

/** Every endpoint that had an attempt. */
const seen = new Set<Endpoint>()
const { begin, end } = Endpoint.prototype

t.before(() => {
  Endpoint.prototype.begin = function () {
    seen.add(this)
    begin.call(this)
  }
  Endpoint.prototype.end = function () {
    end.call(this)
    if (this.outstanding < 0) throw new Error('ended more often than begun')
  }
})

t.teardown(() => Object.assign(Endpoint.prototype, { begin, end }))

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
  const moody = async (id: string) => await startServer(t, id, async ({ socket }, response) => {
    const mood = moodOf(['fine', 'fine', 'fine', 'slow', 'silent', 'broken', 'cut', 'refusing'])
    if (mood === 'slow') await delay(moodOf([5, 20]))
    if (mood === 'broken') socket.destroy()
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

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { AttemptMessage } from '../../lib/calls/events.ts'
import { Limits } from '../../lib/calls/limits.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { instance } from '../balancing/helpers.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/wait.ts'
import { startBlackHole } from './black-hole.ts'
import { lateClock, MemorySource, startCalls, startServer } from './helpers.ts'

const get = { origin: 'http://svc', path: '/', method: 'GET' } as const

/** Runs it and says how many milliseconds that took. */
async function timed (run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await run()
  return performance.now() - begun
}

t.test('an instance that swallows connections is left after connectTimeout', async t => {
  const hole = instance({ id: 'a', port: await startBlackHole(t) })
  const fine = await startServer(t, 'b')
  const source = new MemorySource({ svc: [hole, fine.instance] })
  const { dispatcher } = startCalls(t, source, { strategy: 'first', connectTimeout: 2000 })
  const took = await timed(async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, async () =>
      await (await dispatcher.request({ ...get, method: 'POST', body: 'x' })).body.text()))
    t.equal(answers.every(answer => answer === 'b'), true)
  })
  t.equal(took >= 1999 && took < 7500, true, `all 200 of them within ${took} ms`)
  source.set('svc', [hole])
  await t.rejects(dispatcher.request(get), {
    code: 'FST_CONSUL_NO_INSTANCE',
    cause: { code: 'UND_ERR_CONNECT_TIMEOUT', message: /No connection to 127.0.0.1:\d+ within 2000 ms/ }
  })
})

t.test('an attempt that has no connection yet when its time is over goes to the next instance', async t => {
  const hole = instance({ id: 'a', port: await startBlackHole(t) })
  const fine = await startServer(t, 'b')
  const source = new MemorySource({ svc: [hole, fine.instance] })
  const { dispatcher } = startCalls(t, source, { strategy: 'first', connectTimeout: 20_000, timeout: 1000 })
  const took = await timed(async () => t.equal(await (await dispatcher.request(get)).body.text(), 'b'))
  t.equal(took < 10_000, true, `after ${took} ms`)
  source.set('svc', [hole])
  await t.rejects(dispatcher.request(get), { code: 'FST_CONSUL_ATTEMPT_TIMEOUT' })
})

t.test('an attempt without response headers in time is an error', async t => {
  const silent = await startServer(t, 'silent-1', () => {})
  const { dispatcher, fetch } = startCalls(t, new MemorySource({ svc: [silent.instance] }), { timeout: 120 })
  const error = {
    code: 'FST_CONSUL_ATTEMPT_TIMEOUT',
    statusCode: 504,
    message: 'svc answered no headers from silent-1 within 120 ms (calls.timeout)'
  }
  const took = await timed(async () => { await t.rejects(dispatcher.request(get), error) })
  t.equal(took >= 119 && took < 10_000, true, `after ${took} ms`)
  await t.rejects(fetch('http://svc/'), error)
  const quick = { ...get, balance: { timeout: '30ms' } }
  await t.rejects(dispatcher.request(quick), { message: /within 30 ms \(balance\.timeout\)$/ })
})

t.test('who waits in line goes to a newcomer that has room, whatever its method', async t => {
  const clock = new ManualClock()
  const busy = await startServer(t, 'a', () => {})
  const other = await startServer(t, 'b')
  const source = new MemorySource({ svc: [busy.instance] })
  const { request, destroy } = startCalls(t, source, { strategy: 'first', connections: 1, timeout: 0, clock })
  const outcomes: unknown[] = []
  const listener = (message: unknown) => {
    const { instance, outcome } = message as AttemptMessage
    outcomes.push([instance.id, outcome])
  }
  subscribe('fastify-consul:attempt', listener)
  t.teardown(() => unsubscribe('fastify-consul:attempt', listener))
  const running = t.rejects(request('http://svc/'))
  await until(() => busy.requests === 1)
  const inLine = request('http://svc/', { method: 'POST', balance: { timeout: 1000 } })
  source.set('svc', [busy.instance, other.instance])
  clock.advance(100)
  t.equal(await (await inLine).body.text(), 'b')
  t.same(outcomes, [['b', 'success']])
  await destroy()
  await running
})

t.test('a response may take longer than the limit to its headers', async t => {
  const slow = await startServer(t, 'a', async (_, response) => {
    response.write('slow ')
    await delay(1500)
    response.end('body')
  })
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [slow.instance] }), { timeout: 1000 })
  t.equal(await (await dispatcher.request(get)).body.text(), 'slow body')
})

t.test('an upload may take as long as it moves', async t => {
  const echo = await startServer(t, 'echo', async (request, response) => { response.end(await text(request)) })
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [echo.instance] }), { timeout: 500 })
  async function * upload () {
    for (let part = 0; part < 5; part++) {
      await delay(150)
      yield Buffer.from(`${part}`)
    }
  }
  const body = Readable.from(upload())
  t.equal(await (await dispatcher.request({ ...get, method: 'POST', body })).body.text(), '01234')
  const stuck = new Readable({ read () {} })
  stuck.push('something')
  const silent = await startServer(t, 'silent', () => {})
  const other = startCalls(t, new MemorySource({ svc: [silent.instance] }), { timeout: 100 })
  await t.rejects(other.dispatcher.request({ ...get, method: 'POST', body: stuck }),
    { code: 'FST_CONSUL_ATTEMPT_TIMEOUT' })
})

t.test('a deadline ends a call that waits for discovery', async t => {
  const source = new MemorySource({ svc: [(await startServer(t, 'a')).instance] })
  source.hold()
  const { dispatcher, fetch } = startCalls(t, source, { deadline: 100 })
  const error = {
    code: 'FST_CONSUL_DEADLINE', statusCode: 504, message: 'The call to svc did not end within 100 ms (calls.deadline)'
  }
  await t.rejects(dispatcher.request(get), error)
  await t.rejects(fetch('http://svc/'), error)
  await t.rejects(fetch('http://svc/', { balance: { deadline: 30 } }), { message: /30 ms \(balance\.deadline\)$/ })
  source.release()
})

t.test('a deadline ends a call that connects, and all its attempts', async t => {
  const holes = await Promise.all(['a', 'b', 'c'].map(async id => instance({ id, port: await startBlackHole(t) })))
  const { dispatcher } = startCalls(t, new MemorySource({ svc: holes }), { connectTimeout: 1000, deadline: 1500 })
  const took = await timed(async () => { await t.rejects(dispatcher.request(get), { code: 'FST_CONSUL_DEADLINE' }) })
  t.equal(took >= 1499, true, `after ${took} ms`)
})

t.test('a deadline ends a call that waits for headers, and one that reads', async t => {
  const silent = await startServer(t, 'a', (request, response) => {
    if (request.url === '/body') response.write('begun')
  })
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [silent.instance] }))
  const options = { ...get, balance: { deadline: 1000 } }
  await t.rejects(dispatcher.request(options), { code: 'FST_CONSUL_DEADLINE' })
  const { body } = await dispatcher.request({ ...options, path: '/body' })
  await t.rejects(body.text(), { code: 'FST_CONSUL_DEADLINE' })
})

t.test('a deadline of fetch counts over redirects', async t => {
  const server = await startServer(t, 'a', async ({ url }, response) => {
    const hop = Number(url?.slice(1))
    await delay(200)
    response.writeHead(302, { location: `/${hop + 1}` }).end()
  })
  const { fetch } = startCalls(t, new MemorySource({ svc: [server.instance] }))
  const took = await timed(async () => {
    await t.rejects(fetch('http://svc/0', { balance: { deadline: 1500 } }), { code: 'FST_CONSUL_DEADLINE' })
  })
  t.equal(took < 10_000, true, `after ${took} ms`)
  t.equal(server.requests > 1, true)
})

t.test('a limit of 0 is none, and a very long one is no short one', async t => {
  const slow = await startServer(t, 'a', async (_, response) => {
    await delay(50)
    response.end('a')
  })
  const source = new MemorySource({ svc: [slow.instance] })
  const { dispatcher } = startCalls(t, source, { timeout: 10, deadline: 20, connectTimeout: 0 })
  for (const [timeout, deadline] of [[0, 0], ['1000h', '1000h']]) {
    const options = { ...get, balance: { timeout, deadline } }
    t.equal(await (await dispatcher.request(options)).body.text(), 'a')
  }
})

t.test('calls that are over leave one timer for each limit, until it fires, and none once they are closed', async t => {
  let running = 0
  const clock: Clock = {
    ...systemClock,
    after (ms, callback) {
      running++
      let over = false
      const settle = () => {
        if (!over) running--
        over = true
      }
      const stop = systemClock.after(ms, () => {
        settle()
        callback()
      })
      return () => {
        settle()
        stop()
      }
    }
  }
  const server = await startServer(t, 'a', ({ url, socket }, response) => {
    if (url === '/break') socket.destroy()
    else if (url !== '/silent') response.end('a')
  })
  const source = new MemorySource({ svc: [instance({ id: '0', port: await freePort() }), server.instance] })
  const { dispatcher, destroy } = startCalls(t, source, { timeout: 50, deadline: 60_000, clock })
  await Promise.all(['/', '/break', '/silent', '/', '/'].map(async path => {
    await dispatcher.request({ ...get, path }).then(({ body }) => body.text(), () => {})
  }))
  await until(() => running === 1, { what: 'the end of every timer but that of the deadlines' })
  await destroy()
  t.equal(running, 0)
})

t.test('a process that was busy does not blame it on the instance that it was connecting to', async t => {
  const server = await startServer(t, 'a')
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [server.instance] }), { connectTimeout: 50 })
  const call = dispatcher.request(get)
  const begun = performance.now()
  while (performance.now() - begun < 100);
  t.equal(await (await call).body.text(), 'a')
})

t.test('but one that is busy all the time waits for it no more than twice', async t => {
  const hole = instance({ id: 'a', port: await startBlackHole(t) })
  const clock = new ManualClock()
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [hole] }), {
    connectTimeout: 50, clock: lateClock(clock, 60)
  })
  const failed = t.rejects(dispatcher.request(get), { cause: { code: 'UND_ERR_CONNECT_TIMEOUT' } })
  // Each of them late, and late once more after the time of grace.
  for (let time = 0; time < 2 * (50 + 60 + 20 + 60); time += 10) clock.advance(10)
  await failed
})

t.test('a process that stood still for longer than the limit gives the instance all of it once more', async t => {
  const slow = await startServer(t, 'a', async (_, response) => {
    await delay(60)
    response.end('a')
  })
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [slow.instance] }), { timeout: 500, retries: 0 })
  for (const method of ['GET', 'POST', 'GET'] as const) {
    const call = dispatcher.request({ ...get, method })
    const begun = performance.now()
    while (performance.now() - begun < 650);
    t.equal(await (await call).body.text(), 'a')
  }
})

t.test('but not more than once, and a deadline is not extended', async t => {
  const silent = await startServer(t, 'a', () => {})
  const clock = new ManualClock()
  const { dispatcher } = startCalls(t, new MemorySource({ svc: [silent.instance] }), {
    timeout: 100, retries: 0, clock: lateClock(clock, 60)
  })
  const ended: string[] = []
  for (const deadline of [0, 100]) {
    dispatcher.request({ ...get, balance: { deadline } } as typeof get)
      .catch(({ code }) => ended.push(`${code} of ${deadline}`))
    await once(silent.server, 'request')
  }
  // Late, and late once more after the time of grace.
  const late = 100 + 60 + 20 + 60
  clock.advance(late)
  await turn()
  t.same(ended, ['FST_CONSUL_DEADLINE of 100'])
  clock.advance(late - 1)
  await turn()
  t.equal(ended.length, 1)
  clock.advance(1)
  await turn()
  t.same(ended[1], 'FST_CONSUL_ATTEMPT_TIMEOUT of 0')
})

// lib/calls/limits.ts

t.test('a limit is reached on time', async t => {
  const clock = new ManualClock()
  let reached = 0
  new Limits(clock).start(100, { expire: () => reached++ })
  clock.advance(99)
  t.equal(reached, 0)
  clock.advance(1)
  t.equal(reached, 1)
  t.same(clock.pending, [])
})

t.test('no limit is none', async t => {
  const clock = new ManualClock()
  const stop = new Limits(clock).start(0, { expire: () => t.fail('reached') })
  t.same(clock.pending, [])
  stop?.stop()
})

t.test('what has arrived while the process stood still is read before the limit counts', async t => {
  const clock = new ManualClock()
  let reached = 0
  new Limits(lateClock(clock, 2000)).start(100, { expire: () => reached++ })
  clock.advance(2100)
  t.equal(reached, 0)
  clock.advance(2020)
  t.equal(reached, 1)
})

t.test('what has arrived is read first, however little a limit is late', async t => {
  const { server, instance } = await startServer(t, 'a')
  const socket = connect(instance.port)
  t.teardown(() => socket.destroy())
  const [other] = await once(server, 'connection') as [Socket]
  const order: string[] = []
  socket.on('data', () => order.push('data'))
  other.write('x')
  const reached = new Promise<void>(resolve => {
    new Limits(systemClock).start(20, { expire: () => resolve() })
  })
  const begun = performance.now()
  while (performance.now() - begun < 40);
  await reached
  t.same(order, ['data'])
})

t.test('ended, it is never reached, in the time of grace either', async t => {
  const clock = new ManualClock()
  const stop = new Limits(clock).start(100, { expire: () => t.fail('reached') })
  stop?.stop()
  clock.advance(100)
  const stopLate = new Limits(lateClock(clock, 2000)).start(100, { expire: () => t.fail('reached') })
  clock.advance(2100)
  stopLate?.stop()
  clock.advance(10_000)
  t.same(clock.pending, [])
})

t.test('one timer waits for all limits of one length, and none for those that were stopped', async t => {
  const clock = new ManualClock()
  const limits = new Limits(clock)
  const reached: number[] = []
  const running = [0, 1, 2, 3].map(each => {
    const limit = limits.start(100, { expire: () => reached.push(each) })
    clock.advance(10)
    return limit
  })
  t.same(clock.pending, [60])
  running[0]?.stop()
  running[2]?.stop()
  running[2]?.stop()
  clock.advance(60)
  t.same([reached, clock.pending], [[], [10]])
  clock.advance(10)
  t.same([reached, clock.pending], [[1], [20]])
  clock.advance(20)
  t.same([reached, clock.pending], [[1, 3], []])
})

t.test('each length has its own order; of those that nobody uses only a few are remembered', async t => {
  const clock = new ManualClock()
  const limits = new Limits(clock)
  const reached: number[] = []
  for (const ms of [300, 100, 200]) limits.start(ms, { expire: () => reached.push(ms) })
  clock.advance(300)
  t.same(reached, [100, 200, 300])
  for (let ms = 1000; ms < 1100; ms++) limits.start(ms, { expire: () => t.fail('reached') })?.stop()
  t.ok(clock.pending.length <= 16)
})

t.test('what was left of a limit is not remembered', async t => {
  const clock = new ManualClock()
  const limits = new Limits(clock)
  limits.start(99.5, { expire: () => t.fail('reached') })?.stop()
  t.same(clock.pending, [])
})

t.test('a limit that throws when it is reached takes no other with it', async t => {
  const clock = new ManualClock()
  const limits = new Limits(clock)
  let reached = 0
  limits.start(100, { expire () { throw new Error('one') } })
  limits.start(100, { expire: () => reached++ })
  t.throws(() => clock.advance(100), { message: 'one' })
  clock.advance(0)
  t.equal(reached, 1)
})

t.test('once closed none is reached', async t => {
  const clock = new ManualClock()
  const limits = new Limits(clock)
  limits.start(100, { expire: () => t.fail('reached') })
  limits.close()
  t.same(clock.pending, [])
})

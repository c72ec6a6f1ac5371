import t, { type Test } from 'tap'
import { instance } from '../balancing/helpers.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { startScript } from '../support/process.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/wait.ts'
import { MemorySource, startCalls, startServer } from './helpers.ts'

/** Timers that wait, without the one for those who read what was refused: a second. */
const waits = (clock: ManualClock): number[] => clock.pending.filter(ms => ms < 900)

/** A call that was refused and waits to be sent to the other instance; nothing but that waits for the time. */
async function startBackoff (t: Test, options: { signal?: AbortSignal, deadline?: number } = {}) {
  const bad = await startServer(t, 'a', (_, response) => { response.writeHead(503).end() })
  const good = await startServer(t, 'b')
  const source = new MemorySource({ svc: [bad.instance, good.instance] })
  const clock = new ManualClock()
  const calls = startCalls(t, source, { strategy: 'first', timeout: 0, connectTimeout: 0, clock })
  const { signal, deadline = 0 } = options
  const call = calls.request('http://svc/', { balance: { deadline }, ...(signal && { signal }) })
    .then(async ({ body }) => await body.text())
  const limits = deadline === 0 ? 0 : 1
  await until(() => bad.requests === 1 && waits(clock).length === limits + 1)
  return { ...calls, bad, good, source, clock, call }
}

t.test('a refused request waits up to 25 ms before it is sent to another instance', async t => {
  const { clock, good, call } = await startBackoff(t)
  const [wait = 0] = waits(clock)
  t.equal(wait > 0 && wait < 25, true, `${wait} ms`)
  clock.advance(wait - 0.001)
  t.equal(good.requests, 0)
  clock.advance(0.002)
  t.equal(await call, 'b')
})

t.test('a request whose connection broke does not wait the first time, but the second', async t => {
  const servers = await Promise.all(['a', 'b'].map(id => startServer(t, id, ({ socket }) => { socket.destroy() })))
  const good = await startServer(t, 'c')
  const source = new MemorySource({ svc: [...servers, good].map(({ instance }) => instance) })
  const clock = new ManualClock()
  const { request } = startCalls(t, source, { strategy: 'first', timeout: 0, connectTimeout: 0, clock })
  const call = request('http://svc/')
  await until(() => waits(clock).length > 0)
  t.same(servers.map(({ requests }) => requests), [1, 1])
  const [wait = 0] = waits(clock)
  t.equal(wait > 0 && wait < 75, true, `${wait} ms`)
  clock.advance(75)
  t.equal(await (await call).body.text(), 'c')
})

t.test('the caller\'s signal ends the wait', async t => {
  const abort = new AbortController()
  const { clock, good, call, close } = await startBackoff(t, { signal: abort.signal })
  const reason = new Error('no longer wanted')
  abort.abort(reason)
  await t.rejects(call, reason)
  t.same(waits(clock), [])
  await close()
  t.equal(good.requests, 0)
})

t.test('a deadline ends the wait', async t => {
  const { clock, good, call } = await startBackoff(t, { deadline: 1 })
  clock.advance(1)
  await t.rejects(call, { code: 'FST_CONSUL_DEADLINE' })
  t.same(waits(clock), [])
  t.equal(good.requests, 0)
})

t.test('a call that waits is running: close() lets it end, destroy() does not', async t => {
  const one = await startBackoff(t)
  const closing = one.close()
  one.clock.advance(25)
  t.equal(await one.call, 'b')
  await closing
  const other = await startBackoff(t)
  const rejected = t.rejects(other.call, { code: 'UND_ERR_DESTROYED' })
  await other.destroy()
  await rejected
  t.same(waits(other.clock), [])
})

t.test('an instance that leaves meanwhile is not tried; the error says why the one before was left', async t => {
  const { clock, bad, source, call } = await startBackoff(t)
  source.set('svc', [bad.instance])
  clock.advance(25)
  await t.rejects(call, {
    code: 'FST_CONSUL_NO_INSTANCE',
    message: /of 1 tried none served the request, a answered 503$/,
    cause: { code: 'FST_CONSUL_REFUSED', statusCode: 502 }
  })
})

t.test('an instance that comes meanwhile is called', async t => {
  const { clock, bad, source, call } = await startBackoff(t)
  const late = await startServer(t, 'c')
  source.set('svc', [bad.instance, instance({ id: 'b', port: await freePort() }), late.instance])
  clock.advance(25)
  t.equal(await call, 'c')
})

t.test('discovery that has forgotten the service meanwhile is waited for', async t => {
  const { clock, source, call } = await startBackoff(t)
  source.hold()
  clock.advance(25)
  await until(() => source.waiting === 1)
  source.release()
  t.equal(await call, 'b')
})

t.test('a call that waits keeps the process alive', async t => {
  const bad = await startServer(t, 'a', (_, response) => {
    response.writeHead(503, { connection: 'close' }).end()
  })
  const good = await startServer(t, 'b')
  const ports = [bad, good].map(({ instance }) => String(instance.port))
  const script = await startScript(t, new URL('one-call.ts', import.meta.url), { args: ports })
  t.match(await script.ended, { code: 0 })
  t.match(script.output, /b/)
})

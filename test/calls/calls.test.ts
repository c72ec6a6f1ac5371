import { fileURLToPath } from 'node:url'
import t from 'tap'
import { instance } from '../balancing/helpers.ts'
import { startChild } from '../support/children.ts'
import { MemorySource, startCalls, startServer } from './helpers.ts'

t.test('pick() and calls share one order', async t => {
  const servers = [await startServer(t, 'a'), await startServer(t, 'b'), await startServer(t, 'c')]
  const { pick, request } = startCalls(t, new MemorySource({ svc: servers.map(({ instance }) => instance) }))
  const seen = [
    (await pick('svc'))?.id,
    await (await request('http://svc/')).body.text(),
    (await pick('svc'))?.id
  ]
  t.equal(new Set(seen).size, 3)
})

t.test('pick() takes strategy, key, tag and datacenter', async t => {
  const far = instance({ id: 'c', tags: ['v2'], datacenter: 'dc2' })
  const source = new MemorySource({ svc: [instance({ id: 'a' }), instance({ id: 'b', tags: ['v2'] }), far] })
  const { pick } = startCalls(t, source)
  t.equal((await pick('svc', { strategy: 'first' }))?.id, 'a')
  t.equal((await pick('svc', { strategy: 'first', tag: 'v2' }))?.id, 'b')
  t.equal((await pick('svc', { datacenter: 'dc2' }))?.id, 'c')
  t.equal((await pick('svc', { key: 'c', strategy: (all, { key }) => all.find(({ id }) => id === key) }))?.id, 'c')
  await t.rejects(pick('svc', { strategy: 'best' as 'first' }), { code: 'FST_CONSUL_INVALID_OPTION' })
})

t.test('pick() without an instance is null', async t => {
  t.equal(await startCalls(t, new MemorySource()).pick('svc'), null)
})

t.test('pick() waits for discovery, and gives its error', async t => {
  const source = new MemorySource({ svc: [instance()] })
  const { pick } = startCalls(t, source)
  source.hold()
  const picked = pick('svc')
  source.release()
  t.equal((await picked)?.id, 'a')
  source.hold()
  const failed = t.rejects(pick('svc'), { message: 'away' })
  source.release(new Error('away'))
  await failed
})

t.test('after close() nobody listens to the source', async t => {
  const source = new MemorySource()
  const [one, other] = [startCalls(t, source), startCalls(t, source)]
  t.equal(source.listeners, 2)
  await one.close()
  await one.close()
  t.equal(source.listeners, 1)
  await other.destroy()
  t.equal(source.listeners, 0)
  await t.rejects(one.request('http://svc/'), { code: 'FST_CONSUL_CLOSED' })
  await t.rejects(one.fetch('http://svc/'), { code: 'FST_CONSUL_CLOSED' })
})

t.test('a process that has made its calls ends, without close()', async t => {
  const server = await startServer(t, 'a')
  server.server.keepAliveTimeout = 60_000
  const script = fileURLToPath(import.meta.resolve('./one-call.ts'))
  const child = await startChild(process.execPath, ['--import', 'tsx', script, String(server.instance.port)])
  t.teardown(() => child.kill())
  const begun = performance.now()
  t.same(await child.ended, { code: 0, signal: null })
  t.equal(performance.now() - begun < 20_000, true)
  t.match(child.output, /a$/)
})

t.test('close() ends also when destroy() has to cut it short', async t => {
  const silent = await startServer(t, 'a', () => {})
  const { request, close, destroy } = startCalls(t, new MemorySource({ svc: [silent.instance] }))
  const call = t.rejects(request('http://svc/'))
  await new Promise(resolve => silent.server.once('request', resolve))
  const closing = close()
  await destroy()
  await closing
  await call
})

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import t from 'tap'
import type { Going, Waiting } from '../../lib/calls/line.ts'
import { Lines } from '../../lib/calls/lines.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { instance } from '../balancing/helpers.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { freePort } from '../support/ports.ts'
import type { Teardown } from '../support/teardown.ts'
import { until } from '../support/wait.ts'
import { lateClock, MemorySource, startCalls, startServer, type TestServer } from './helpers.ts'

function countDials (t: Teardown): () => number {
  let dials = 0
  const count = () => { dials++ }
  subscribe('undici:client:beforeConnect', count)
  t.teardown(() => unsubscribe('undici:client:beforeConnect', count))
  return () => dials
}

/** One that answers each request when it is told to. */
async function startPatient (t: Teardown, id: string, tags: readonly string[] = []): Promise<TestServer> {
  const server = await startServer(t, id, (_, response) => {
    server.server.once('answer', () => response.end(id))
  }, { tags })
  return server
}

function sourceOf (servers: readonly TestServer[]): MemorySource {
  return new MemorySource({ svc: servers.map(({ instance }) => instance) })
}

t.test('where all are busy, whoever has room first gets the next one: a burst is spread evenly', async t => {
  for (const strategy of ['round-robin', 'random', 'least-request', 'peak-ewma', 'first'] as const) {
    const servers = await Promise.all(['a', 'b', 'c'].map(async id =>
      await startServer(t, id, (_, response) => { setTimeout(() => response.end(id), 5) })))
    const { request } = startCalls(t, sourceOf(servers), { strategy, connections: 4 })
    await Promise.all(Array.from({ length: 240 }, async () => await (await request('http://svc/')).body.text()))
    const counts = servers.map(({ requests }) => requests)
    t.equal(counts.every(count => count > 40 && count < 120), true, `${strategy}: ${counts}`)
  }
})

t.test('nobody waits for one that hangs while another has room', async t => {
  for (const strategy of ['round-robin', 'random', 'least-request', 'peak-ewma', 'first'] as const) {
    const hung = await startServer(t, 'a', () => {})
    const well = await Promise.all(['b', 'c'].map(async id => await startServer(t, id)))
    const clock = new ManualClock()
    const { request, destroy } = startCalls(t, sourceOf([hung, ...well]), { strategy, connections: 2, clock })
    const answers: string[] = []
    const calls = Array.from({ length: 30 }, async () => answers.push(await (await request('http://svc/')).body.text()))
    await until(() => answers.length === 28)
    t.equal(hung.requests, 2, strategy)
    await Promise.all([destroy(), Promise.allSettled(calls)])
  }
})

t.test('however many stand in a row that have no room, one that has is found', async t => {
  const servers = await Promise.all([...'abcdefghijkl'].map(async id => await startPatient(t, id)))
  const { request } = startCalls(t, sourceOf(servers), { connections: 1 })
  const ask = async (id?: string): Promise<string> => {
    const strategy = (all: readonly ServiceInstance[]) => all.find(each => each.id === id)
    return await (await request('http://svc/', id === undefined ? {} : { balance: { strategy } })).body.text()
  }
  const running = [...'abcdef'].map(async id => await ask(id))
  await until(() => servers.slice(0, 6).every(({ requests }) => requests === 1))
  const others = Array.from({ length: 6 }, async () => await ask())
  await until(() => servers.every(({ requests }) => requests === 1))
  for (const { server } of servers) server.emit('answer')
  t.same((await Promise.all([...running, ...others])).sort(), [...'abcdefghijkl'])
})

t.test('who cannot go where there is room lets those behind it pass', async t => {
  const [hung, other] = [await startPatient(t, 'a', ['v1']), await startPatient(t, 'b')]
  const { request } = startCalls(t, sourceOf([hung, other]), { connections: 1 })
  const ask = async (tag?: string): Promise<string> =>
    await (await request('http://svc/', { balance: { ...(tag !== undefined && { tag }) } })).body.text()
  const ofTag = [ask('v1'), ask('v1')]
  await once(hung.server, 'request')
  const others = [ask(), ask(), ask()]
  for (let answered = 1; answered <= 3; answered++) {
    await until(() => other.requests === answered)
    other.server.emit('answer')
  }
  t.same(await Promise.all(others), ['b', 'b', 'b'])
  for (let answered = 1; answered <= 2; answered++) {
    await until(() => hung.requests === answered)
    hung.server.emit('answer')
  }
  t.same(await Promise.all(ofTag), ['a', 'a'])
})

t.test('however many cannot go where there is room, the others are not kept waiting', async t => {
  const [hung, other] = [await startPatient(t, 'a', ['v1']), await startPatient(t, 'b')]
  const clock = new ManualClock()
  const { request, destroy } = startCalls(t, sourceOf([hung, other]), { connections: 1, clock })
  const ask = async (tag?: string): Promise<string> =>
    await (await request('http://svc/', { balance: { ...(tag !== undefined && { tag }) } })).body.text()
  const ofTag = Array.from({ length: 30 }, () => ask('v1').catch(({ code }) => code))
  await once(hung.server, 'request')
  const others = [ask(), ask()]
  await until(() => other.requests === 1)
  other.server.emit('answer')
  t.equal(await Promise.race(others), 'b')
  clock.advance(100)
  await until(() => other.requests === 2)
  other.server.emit('answer')
  t.same(await Promise.all(others), ['b', 'b'])
  await destroy()
  t.same(new Set(await Promise.all(ofTag)), new Set(['UND_ERR_DESTROYED']))
})

t.test('an instance that refuses connections again and again is one that was tried, and no more', async t => {
  const busy = await startPatient(t, 'b')
  const dead = instance({ id: 'a', port: await freePort() })
  const source = new MemorySource({ svc: [dead, busy.instance] })
  const { request } = startCalls(t, source, { strategy: 'first', connections: 1 })
  const ask = async (): Promise<string> => await (await request('http://svc/')).body.text()
  const calls = Array.from({ length: 20 }, async () => {
    await new Promise(resolve => setImmediate(resolve))
    return await ask()
  })
  for (let answered = 1; answered <= calls.length; answered++) {
    await until(() => busy.requests === answered)
    // Newcomers knock at the dead one while the others wait.
    if (answered < 10) calls.push(ask())
    busy.server.emit('answer')
  }
  t.same(new Set(await Promise.all(calls)), new Set(['b']))
})

t.test('where no TLS connection can be made, those that wait for one without TLS go on waiting', async t => {
  const { instance } = await startServer(t, 'a')
  const { request } = startCalls(t, new MemorySource({ svc: [instance] }), { connections: 2 })
  const refused = [1, 2].map(() => t.rejects(request('https://svc/'), { code: 'FST_CONSUL_NO_INSTANCE' }))
  const waiting = [1, 2, 3].map(async () => await (await request('http://svc/')).body.text())
  await Promise.all(refused)
  t.same(await Promise.all(waiting), ['a', 'a', 'a'])
})

t.test('that others connect without TLS brings nobody back who could not with it', async t => {
  const [plain, hung] = [await startServer(t, 'a'), await startServer(t, 'b', () => {})]
  const options = { connections: 1, strategy: 'first' } as const
  const { request, destroy, waitingFor } = startCalls(t, sourceOf([plain, hung]), options)
  const strategy = (all: readonly ServiceInstance[]) => all.find(({ id }) => id === 'b')
  const running = request('http://svc/', { balance: { strategy } }).catch(() => {})
  await until(() => hung.requests === 1)
  const waiting = t.rejects(request('https://svc/'), { code: 'UND_ERR_DESTROYED' })
  await until(() => waitingFor('svc') === 1)
  for (let call = 0; call < 6; call++) {
    await (await request('http://svc/', { headers: { connection: 'close' } })).body.dump()
  }
  t.equal(waitingFor('svc'), 1)
  await Promise.all([destroy(), running, waiting])
})

/** Calls that could not connect to one instance, and but two of them wait for another one, which hangs. */
async function startWaiting (t: Teardown, count: number) {
  const [away, hung] = [await startServer(t, 'a'), await startServer(t, 'b', () => {})]
  await once(away.server.close(), 'close')
  const clock = new ManualClock()
  const { request, destroy, waitingFor } = startCalls(t, sourceOf([away, hung]), {
    connections: 2, strategy: 'first', clock
  })
  const answers: string[] = []
  const ask = async (): Promise<unknown> => answers.push(await (await request('http://svc/')).body.text())
  const calls = Array.from({ length: count }, async () => await ask().catch(() => {}))
  await until(() => hung.requests === 2 && waitingFor('svc') === count - 2)
  return {
    clock,
    answers,
    ask,
    waiting: () => waitingFor('svc'),
    comeBack: () => once(away.server.listen(away.instance.port, away.instance.address), 'listening'),
    end: () => Promise.all([destroy(), ...calls])
  }
}

t.test('an instance that comes back is gone to by those who wait, too', async t => {
  const { clock, answers, ask, comeBack, end } = await startWaiting(t, 20)
  await comeBack()
  clock.advance(900)
  t.same(answers, [], 'nobody knows yet')
  await ask()
  await until(() => answers.length === 19)
  await end()
})

t.test('those who wait go themselves, after a second, where others could not connect', async t => {
  const { clock, answers, comeBack, end } = await startWaiting(t, 20)
  await comeBack()
  clock.advance(1100)
  await until(() => answers.length === 18)
  await end()
})

t.test('as many go there as it has connections: what they find out is true for the others', async t => {
  const dials = countDials(t)
  const { clock, waiting, end } = await startWaiting(t, 20)
  t.equal(dials(), 2 + 2, 'one instance, and the other')
  clock.advance(1100)
  t.equal(waiting(), 16)
  await until(() => waiting() === 18)
  t.equal(dials(), 2 + 2 + 2)
  await end()
})

t.test('who has gone there itself goes again after five seconds', async t => {
  const { clock, answers, waiting, comeBack, end } = await startWaiting(t, 3)
  await comeBack()
  clock.advance(4900)
  t.equal(waiting(), 1)
  clock.advance(200)
  await until(() => answers.length === 1)
  await end()
})

t.test('a refusal is the answer where everyone else is busy', async t => {
  const refusing = await startServer(t, 'a', (_, response) => { response.writeHead(503).end('overloaded') })
  const busy = await startPatient(t, 'b')
  const lastResort = await startServer(t, 'c', undefined, { weights: { passing: 0, warning: 0 } })
  const { request } = startCalls(t, sourceOf([refusing, busy, lastResort]), { connections: 1, strategy: 'first' })
  const running = request('http://svc/', { balance: { strategy: all => all[1] } })
  await once(busy.server, 'request')
  const { statusCode, body } = await request('http://svc/')
  t.match({ statusCode, text: await body.text() }, { statusCode: 503, text: 'overloaded' })
  busy.server.emit('answer')
  await (await running).body.dump()
})

t.test('who has lost attempts and then waits in vain hears of the attempts', async t => {
  const breaking = await Promise.all(['a', 'b'].map(async id => await startServer(t, id, ({ socket }) => {
    socket.destroy()
  })))
  const busy = await startPatient(t, 'c')
  const clock = new ManualClock()
  const { request, destroy } = startCalls(t, sourceOf([...breaking, busy]), {
    connections: 1, strategy: 'first', connectTimeout: 0, clock
  })
  const lost = t.rejects(request('http://svc/', { method: 'PUT' }), { code: 'UND_ERR_SOCKET' })
  await until(() => clock.pending.some(due => due <= 250))
  const running = request('http://svc/', { balance: { timeout: 0, strategy: all => all[2] } }).catch(() => {})
  await once(busy.server, 'request')
  clock.advance(250)
  await until(() => clock.pending.includes(100)) // It stands in line.
  clock.advance(30_000)
  await lost
  t.equal(busy.requests, 1)
  await Promise.all([destroy(), running])
})

t.test('a strategy that aborts its own call leaves nothing in line', async t => {
  const busy = await startPatient(t, 'a')
  const clock = new ManualClock()
  const { request } = startCalls(t, sourceOf([busy]), { connections: 1, timeout: 0, connectTimeout: 0, clock })
  const running = request('http://svc/')
  await once(busy.server, 'request')
  const abort = new AbortController()
  const strategy = (all: readonly ServiceInstance[]): ServiceInstance | undefined => {
    abort.abort()
    return all[0]
  }
  await t.rejects(request('http://svc/', { signal: abort.signal, balance: { strategy } }), { name: 'AbortError' })
  t.same(clock.pending, [])
  busy.server.emit('answer')
  await (await running).body.dump()
})

t.test('a function is asked again without those that are full; if it wants none of those, the call waits', async t => {
  const servers = [await startPatient(t, 'a'), await startPatient(t, 'b')] as const
  const seen: string[] = []
  const wish = (all: readonly ServiceInstance[]): ServiceInstance | undefined => {
    seen.push(all.map(({ id }) => id).join())
    return all.find(({ id }) => id === 'a')
  }
  const { request } = startCalls(t, sourceOf(servers), { strategy: wish, connections: 1 })
  const ask = async (): Promise<string> => await (await request('http://svc/')).body.text()
  const calls = [ask()]
  await once(servers[0].server, 'request')
  calls.push(ask())
  t.same(seen, ['a,b', 'a,b', 'b'])
  servers[0].server.emit('answer')
  await until(() => servers[0].requests === 2)
  servers[0].server.emit('answer')
  t.same(await Promise.all(calls), ['a', 'a'])
})

t.test('who waits for too long is told that all are busy; a deadline and a signal end the wait too', async t => {
  const server = await startServer(t, 'a', () => {})
  const clock = new ManualClock()
  const { request, destroy } = startCalls(t, sourceOf([server]), { connections: 1, timeout: 0, clock })
  const running = request('http://svc/').catch(() => {})
  await once(server.server, 'request')
  const busy = t.rejects(request('http://svc/', { balance: { timeout: 1000 } }), {
    code: 'FST_CONSUL_BUSY',
    statusCode: 503,
    message: 'All connections to svc are in use: none was free within 1000 ms (balance.timeout)'
  })
  const late = t.rejects(request('http://svc/', { balance: { deadline: 500 } }), { code: 'FST_CONSUL_DEADLINE' })
  const abort = new AbortController()
  const aborted = t.rejects(request('http://svc/', { signal: abort.signal }), { name: 'AbortError' })
  abort.abort()
  await aborted
  clock.advance(1000)
  await Promise.all([busy, late])
  t.equal(server.requests, 1)
  await Promise.all([destroy(), running])
})

t.test('who stands in line while this process stands still may wait once more as long', async t => {
  const server = await startPatient(t, 'a')
  const clock = new ManualClock()
  const options = { connections: 1, timeout: 1000, clock: lateClock(clock, 2000) }
  const { request } = startCalls(t, sourceOf([server]), options)
  const [running, waiting] = [1, 2].map(async () => await (await request('http://svc/')).body.text())
  await until(() => server.requests === 1)
  clock.advance(1000 + 2000 + 20 + 2000)
  server.server.emit('answer')
  t.equal(await running, 'a')
  await until(() => server.requests === 2)
  server.server.emit('answer')
  t.equal(await waiting, 'a')
})

t.test('whoever waits when all instances leave hears how many it has tried', async t => {
  const [dead, hung] = [await startServer(t, 'a'), await startServer(t, 'b', () => {})]
  const source = sourceOf([dead, hung])
  const { request, destroy, waitingFor } = startCalls(t, source, { connections: 1, strategy: 'first' })
  await (await request('http://svc/')).body.dump()
  dead.server.close()
  dead.server.closeAllConnections()
  const running = request('http://svc/').catch(() => {})
  await until(() => hung.requests === 1)
  const tried = t.rejects(request('http://svc/'), { code: 'FST_CONSUL_NO_INSTANCE', message: /of 1 tried/ })
  await until(() => waitingFor('svc') === 1)
  source.set('svc', [])
  await tried
  await Promise.all([destroy(), running])
})

t.test('ten thousand calls may wait for a service, and one more may not', async t => {
  const server = await startServer(t, 'a', () => {})
  const { request, destroy, waitingFor } = startCalls(t, sourceOf([server]), { connections: 1 })
  const waiting = Array.from({ length: 10_001 }, () => request('http://svc/').catch(({ code }) => code))
  await t.rejects(request('http://svc/'), { code: 'FST_CONSUL_BUSY', message: /too many calls wait already/ })
  t.equal(waitingFor('svc'), 10_000)
  await destroy()
  t.same(new Set(await Promise.all(waiting)), new Set(['UND_ERR_DESTROYED']))
  t.equal(waitingFor('svc'), 0)
})

interface Someone {
  group?: object
  isParticular?: boolean
  repeatable?: boolean
  hasRoom: (name: string) => boolean
}

/** Lines, and those who went, in order; one by the name of `over` is over when its turn comes. */
function startLines () {
  const clock = new ManualClock()
  const lines = new Lines(clock)
  const gone: string[] = []
  function wait (name: string, { group = lines, isParticular = false, repeatable = true, hasRoom }: Someone): void {
    const waiting: Waiting = {
      group,
      isParticular,
      repeatable,
      goOn (): Going {
        if (!hasRoom(name)) return 'waits'
        lines.leave('svc', waiting)
        if (name === 'over') return 'ended'
        gone.push(name)
        return 'went'
      },
      passOver () {}
    }
    lines.join('svc', waiting)
  }
  return { clock, lines, gone, wait }
}

t.test('room that shows up by itself is seen within 100 ms, and nobody looks once nobody waits', async t => {
  const { clock, gone, wait } = startLines()
  let isRoom = false
  for (const name of ['one', 'two']) wait(name, { hasRoom: () => isRoom })
  clock.advance(100)
  t.same(gone, [])
  isRoom = true
  clock.advance(100)
  t.same(gone, ['one', 'two'])
  t.same(clock.pending, [])
})

t.test('the longest waiting goes first, however often there was nothing to be had', async t => {
  const { clock, lines, gone, wait } = startLines()
  const names = Array.from({ length: 200 }, (_, index) => String(index))
  let isRoom = false
  for (const name of names) wait(name, { hasRoom: () => isRoom })
  clock.advance(1000)
  lines.serve('svc')
  isRoom = true
  names.forEach(() => lines.serve('svc'))
  t.same(gone, names)
})

t.test('calls of one kind that find no room keep nobody of another kind waiting; kinds go in turn', async t => {
  const { lines, gone, wait } = startLines()
  let isRoom = (name: string): boolean => name.startsWith('other')
  const [stuck, other] = [{}, {}]
  for (let count = 0; count < 2000; count++) {
    wait(`stuck ${count}`, { hasRoom: name => isRoom(name), group: stuck })
  }
  for (const name of ['other 0', 'other 1', 'other 2', 'other 3']) {
    wait(name, { hasRoom: name => isRoom(name), group: other })
  }
  lines.serve('svc')
  lines.serve('svc')
  t.same(gone, ['other 0', 'other 1'])
  isRoom = () => true
  for (let count = 0; count < 4; count++) lines.serve('svc')
  t.same(gone.slice(2), ['stuck 0', 'other 2', 'stuck 1', 'other 3'])
})

t.test('who chooses for itself and finds no room lets those behind it pass, and keeps its place', async t => {
  const { lines, gone, wait } = startLines()
  let isRoom = false
  for (let count = 0; count < 10; count++) {
    wait(`own ${count}`, { hasRoom: () => isRoom, isParticular: true })
  }
  wait('any', { hasRoom: () => true })
  wait('another', { hasRoom: () => true })
  lines.serve('svc')
  isRoom = true
  lines.serve('svc')
  lines.serve('svc')
  t.same(gone, ['any', 'own 0', 'another'])
})

t.test('who chose for itself in vain does not lose its place', async t => {
  const { clock, lines, gone, wait } = startLines()
  let isRoom = false
  const names = Array.from({ length: 63 }, (_, index) => `own ${index}`)
  for (const name of names) wait(name, { hasRoom: () => isRoom, isParticular: true })
  clock.advance(200)
  isRoom = true
  names.forEach(() => lines.serve('svc'))
  t.same(gone, names)
})

t.test('after many that chose for themselves in vain it goes round, and everyone takes what is there', async t => {
  const { lines, gone, wait } = startLines()
  let isRoom = false
  const names = Array.from({ length: 300 }, (_, index) => `own ${index}`)
  for (const name of names) wait(name, { hasRoom: () => isRoom, isParticular: true })
  lines.serve('svc')
  lines.serve('svc')
  isRoom = true
  names.forEach(() => lines.serve('svc'))
  t.same(gone, [...names.slice(128), ...names.slice(0, 128)])
})

t.test('those who come to the end of a long line take nothing from those at its start', async t => {
  const { lines, gone, wait } = startLines()
  let isRoom = (name: string): boolean => name.startsWith('new')
  for (let count = 0; count < 64; count++) wait(`old ${count}`, { hasRoom: name => isRoom(name), isParticular: true })
  lines.serve('svc')
  isRoom = () => true
  for (let count = 0; count < 100; count++) {
    wait(`new ${count}`, { hasRoom: () => true, isParticular: true })
    lines.serve('svc')
  }
  t.equal(gone.length, 100)
  t.ok(gone.includes('old 0'))
  t.ok(gone.includes('old 63'))
})

t.test('however many wait for one that hangs, each room that others free is taken at once', async t => {
  const { lines, gone, wait } = startLines()
  for (let count = 0; count < 640; count++) wait(`stuck ${count}`, { hasRoom: () => false, isParticular: true })
  for (let count = 0; count < 50; count++) wait(`own ${count}`, { hasRoom: () => true, isParticular: true })
  for (let served = 0; served < 60; served++) lines.serve('svc')
  t.equal(gone.length, 50)
})

t.test('one that may not be repeated keeps those that may from no instance that they may try', async t => {
  const { lines, gone, wait } = startLines()
  wait('post', { hasRoom: () => false, repeatable: false })
  wait('get', { hasRoom: () => true })
  lines.serve('svc')
  t.same(gone, ['get'])
})

t.test('however many choose for themselves in vain, those who do not get the room at once', async t => {
  const { lines, gone, wait } = startLines()
  for (let count = 0; count < 500; count++) wait(`own ${count}`, { hasRoom: () => false, isParticular: true })
  wait('one', { hasRoom: () => true })
  wait('two', { hasRoom: () => true })
  lines.serve('svc')
  lines.serve('svc')
  t.same(gone, ['one', 'two'])
})

t.test('however many choose for themselves in vain, all get to look, also where nothing else happens', async t => {
  const { clock, gone, wait } = startLines()
  for (let count = 0; count < 500; count++) {
    wait(`own ${count}`, { hasRoom: name => name === 'own 300', isParticular: true })
  }
  clock.advance(100 + 10 * Math.floor(300 / 64))
  t.same(gone, ['own 300'])
})

t.test('a call that is over when its turn comes gives it to the next one', async t => {
  const { lines, gone, wait } = startLines()
  for (const name of ['over', 'over', 'next']) wait(name, { hasRoom: () => true })
  lines.serve('svc')
  t.same(gone, ['next'])
})

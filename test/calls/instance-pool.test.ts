import { once } from 'node:events'
import t from 'tap'
import { instance } from '../balancing/helpers.ts'
import { MemorySource, startCalls, startServer } from './helpers.ts'

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

t.test('who waits in line for an instance that leaves goes to another one, or stays if there is none', async t => {
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
  const alone = [call(), call()]
  await once(slow.server, 'request')
  source.set('svc', [])
  slow.server.emit('answer')
  await once(slow.server, 'request')
  slow.server.emit('answer')
  t.same(await Promise.all(alone), ['a', 'a'])
})

t.test('the other one may fail too: the error says what became of the first', async t => {
  const slow = await startServer(t, 'a', (_, response) => { slow.server.once('answer', () => response.end('a')) })
  const source = new MemorySource({ svc: [slow.instance] })
  const { request } = startCalls(t, source, {
    connections: 1, strategy: instances => instances.find(({ id }) => id === 'a')
  })
  const running = request('http://svc/')
  await once(slow.server, 'request')
  const waiting = t.rejects(request('http://svc/'), {
    code: 'FST_CONSUL_NO_INSTANCE', cause: { code: 'FST_CONSUL_INSTANCE_LEFT', message: 'a has left' }
  })
  source.set('svc', [instance({ id: 'b' })])
  await waiting
  slow.server.emit('answer')
  await (await running).body.text()
})

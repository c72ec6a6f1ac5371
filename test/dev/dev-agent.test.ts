import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { startDevAgent } from '../../lib/dev/index.ts'
import { consulApi } from '../support/consul-api.ts'
import { ManualClock } from '../support/manual-clock.ts'

t.test('what it cannot do it says', async t => {
  const agent = await startDevAgent({ port: 0 })
  t.teardown(() => agent.close())
  const api = consulApi(agent.url)
  for (const [method, path, body] of [
    ['GET', '/'],
    ['GET', '/v1/kv/a'],
    ['PUT', '/v1/catalog/register', {}],
    ['GET', '/v1/health/service/a?filter=a'],
    ['GET', '/v1/health/service/a?ns=a'],
    ['GET', '/v1/agent/checks?filter=Name%20%3D%3D%20%22a%22'],
    ['GET', '/v1/catalog/service/a?index=1'],
    ['PUT', '/v1/agent/service/register', { Name: 'a', Kind: 'connect-proxy' }],
    ['PUT', '/v1/agent/service/register', { Name: 'a', Check: { GRPC: '127.0.0.1:1', Interval: '1s' } }]
  ] as const) {
    const { status, text } = await api(method, path, body)
    t.equal(status, 501, path)
    t.match(text, /development agent of fastify-consul, which is no Consul/, path)
  }
})

t.test('a service that was critical for too long is removed', async t => {
  const clock = new ManualClock()
  const agent = await startDevAgent({ port: 0, clock })
  t.teardown(() => agent.close())
  const api = consulApi(agent.url)
  const check = { TTL: '10h', DeregisterCriticalServiceAfter: '1s', Status: 'passing' }
  await api('PUT', '/v1/agent/service/register', { Name: 'ill', Check: check })
  await api('PUT', '/v1/agent/service/register', { Name: 'well', Check: check })
  const there = async (id: string): Promise<boolean> => (await api('GET', `/v1/agent/service/${id}`)).status === 200
  await api('PUT', '/v1/agent/check/fail/service:ill')
  clock.advance(60_000)
  t.ok(await there('ill'), 'a minute is the least')
  clock.advance(30_000)
  t.notOk(await there('ill'))
  t.ok(await there('well'))
})

t.test('an output without a new status comes into the catalog after minutes', async t => {
  const clock = new ManualClock()
  const agent = await startDevAgent({ port: 0, clock, random: () => 0.5 })
  t.teardown(() => agent.close())
  const api = consulApi(agent.url)
  await api('PUT', '/v1/agent/service/register', { Name: 'a', Check: { TTL: '10h' } })
  await api('PUT', '/v1/agent/check/fail/service:a?note=ill')
  const look = async (): Promise<{ text: string, index: number }> => {
    const { text, headers } = await api('GET', '/v1/health/service/a')
    return { text, index: Number(headers['x-consul-index']) }
  }
  const before = await look()
  clock.advance(299_000)
  t.same(await look(), before)
  clock.advance(2000)
  const after = await look()
  t.match(after.text, /"Output": "ill"/)
  t.ok(after.index > before.index)
})

t.test('it ends with everything that waits, once', async t => {
  const agent = await startDevAgent({ port: 0 })
  const waiting = fetch(`${agent.url}/v1/health/service/a?index=1000`)
  await agent.close()
  await t.rejects(waiting)
  await agent.close()
  await t.rejects(fetch(agent.url))
})

t.test('a port that is in use is an error', async t => {
  const agent = await startDevAgent({ port: 0 })
  t.teardown(() => agent[Symbol.asyncDispose]())
  await t.rejects(startDevAgent({ port: agent.port }), { code: 'EADDRINUSE' })
})

t.test('an empty address is none: it would be all of them', async t => {
  await t.rejects(startDevAgent({ port: 0, host: '' }), {
    code: 'FST_CONSUL_INVALID_OPTION', message: 'host must be an address, got an empty text'
  })
})

t.test('a body that is too large is refused, and who sends all of it before reading is told', async t => {
  const agent = await startDevAgent({ port: 0 })
  t.teardown(() => agent[Symbol.asyncDispose]())
  for (const size of [2 ** 20 + 1, 2 ** 26]) {
    const socket = connect(agent.port, '127.0.0.1')
    socket.write('PUT /v1/agent/service/register HTTP/1.1\r\nHost: a\r\nConnection: close\r\n' +
      `Content-Length: ${size}\r\n\r\n`)
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.write('x'.repeat(size), () => resolve())
    })
    t.match(await text(socket), /^HTTP\/1\.1 413 [^]*Request body too large/)
  }
})

t.test('a web page gets nothing and changes nothing', async t => {
  const agent = await startDevAgent({ port: 0 })
  t.teardown(() => agent[Symbol.asyncDispose]())
  for (const origin of ['http://evil.example:8500', agent.url, 'null']) {
    const options = { method: 'PUT', body: '{"Name":"a"}', headers: { origin } }
    const { status } = await fetch(`${agent.url}/v1/agent/service/register`, options)
    t.equal(status, 403, origin)
    t.equal((await fetch(`${agent.url}/v1/status/leader`, { headers: { origin } })).status, 403, origin)
  }
  t.same((await consulApi(agent.url)('GET', '/v1/catalog/services')).json, {})
})

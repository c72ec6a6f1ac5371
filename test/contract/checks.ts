import { createServer, type IncomingHttpHeaders } from 'node:http'
import { once } from 'node:events'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { freePort } from '../support/ports.ts'
import { until } from '../support/wait.ts'
import type { Agent } from './agent.ts'

interface Answerer {
  url: string
  requests: { method: string | undefined, url: string | undefined, headers: IncomingHttpHeaders }[]
  /** The status of the answers, or none at all. */
  status: number | 'nothing'
  body: string
}

async function answerer (t: Test): Promise<Answerer> {
  const server = createServer((request, response) => {
    const { method, url, headers } = request
    own.requests.push({ method, url, headers })
    if (own.status === 'nothing') return
    if (url === '/moved') response.writeHead(302, { location: '/ok' }).end()
    else response.writeHead(url === '/ok' ? 200 : own.status).end(own.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const own: Answerer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: [], status: 200, body: 'fine'
  }
  return own
}

export async function checks (t: Test, agent: Agent): Promise<void> {
  t.jobs = 16 // Most of them wait for runs of checks, which are a second apart.
  t.test('a TTL check is told its status and output', { buffered: true }, async t => {
    await agent.register({ Name: 'told', Check: { CheckID: 'told:a', TTL: '1h' } })
    for (const status of ['passing', 'warning', 'critical'] as const) {
      t.equal((await agent.update('told:a', status, `is ${status}`)).status, 200)
      const expected = { Status: status, Output: `is ${status}` }
      t.match(await agent.check('told:a'), expected)
      t.match((await agent.health('told')).entries[0]?.checks, { 'told:a': expected })
    }
    for (const [verb, status] of [['pass', 'passing'], ['warn', 'warning'], ['fail', 'critical']]) {
      t.equal((await agent.put(`/check/${verb}/told:a?note=by%20${verb}`)).status, 200)
      t.match(await agent.check('told:a'), { Status: status, Output: `by ${verb}` })
    }
  })

  t.test('a status that is none is refused', { buffered: true }, async t => {
    await agent.register({ Name: 'refused', Check: { CheckID: 'refused:a', TTL: '1h' } })
    t.match(await agent.update('refused:a', 'ill'), { status: 400, text: /Invalid check status: 'ill'/ })
    t.match(await agent.put('/check/update/refused:a', {}), { status: 400, text: /Invalid check status: ''/ })
  })

  t.test('only a check with a TTL can be told', { buffered: true }, async t => {
    const own = await answerer(t)
    await agent.register({ Name: 'untold', Check: { CheckID: 'untold:a', HTTP: own.url, Interval: '1h' } })
    const existing = await agent.update('untold:a', 'passing')
    t.equal(existing.status, 500)
    t.match(existing.text, /CheckID "untold:a" does not have associated TTL/)
    const unknown = await agent.update('nobody', 'passing')
    t.equal(unknown.status, agent.tellsUnknown ? 404 : 500)
    t.match(unknown.text, agent.tellsUnknown ? /Unknown check ID "nobody"/ : /does not have associated TTL/)
  })

  t.test('a TTL that expires is critical, with what was said last', { buffered: true }, async t => {
    await agent.register({ Name: 'ttl', Check: { CheckID: 'ttl:a', TTL: '300ms', Status: 'passing' } })
    t.match(await agent.untilCheck('ttl:a', ({ Status }) => Status === 'critical'), { Output: 'TTL expired' })
    await agent.update('ttl:a', 'passing', 'well')
    const { Output } = await agent.untilCheck('ttl:a', ({ Status }) => Status === 'critical')
    t.match(Output, /^TTL expired.*: well$/)
    t.match((await agent.health('ttl')).entries[0]?.checks, { 'ttl:a': { Status: 'critical', Output } })
  })

  t.test('what is told in time does not expire', { buffered: true }, async t => {
    await agent.register({ Name: 'beat', Check: { CheckID: 'beat:a', TTL: '2s', Status: 'passing' } })
    const { index, answer } = await agent.watch('beat', 'wait=4s')
    const began = performance.now()
    await until(async () => {
      await agent.update('beat:a', 'passing')
      return performance.now() - began > 3000
    }, { interval: 200 })
    t.equal((await answer).index, index)
  })

  t.test('an HTTP check is passing with 2xx, warning with 429, else critical', { buffered: true }, async t => {
    const own = await answerer(t)
    const header = { 'X-Own': ['a', 'b'] }
    await agent.register({
      Name: 'http', Check: { CheckID: 'http:a', HTTP: `${own.url}/path?q=1`, Header: header, Interval: '1s' }
    })
    const expected = {
      200: 'passing', 204: 'passing', 429: 'warning', 404: 'critical', 201: 'passing', 503: 'critical'
    }
    for (const code of [200, 429, 204, 404, 201, 503] as const) {
      own.status = code
      const { answer } = await agent.watch('http')
      const { entries } = await answer
      const { Status, Output, Type } = entries[0]?.checks['http:a'] as { Status: string, Output: string, Type: string }
      t.equal(Status, expected[code], String(code))
      t.ok(Output.startsWith(`HTTP GET ${own.url}/path?q=1: ${code} `), Output)
      if (code !== 204) t.ok(Output.endsWith(' Output: fine'), Output)
      t.equal(Type, 'http')
    }
    t.match(own.requests[0], {
      method: 'GET',
      url: '/path?q=1',
      headers: { 'user-agent': 'Consul Health Check', connection: 'close', 'x-own': 'a, b', accept: /text\/plain/ }
    })
  })

  t.test('an HTTP check has a method, follows redirects and cuts what it reads', { buffered: true }, async t => {
    const own = await answerer(t)
    own.body = 'b'.repeat(9000)
    const check = { CheckID: 'moved:a', HTTP: `${own.url}/moved`, Method: 'POST', Interval: '1s' }
    await agent.register({ Name: 'moved', Check: check })
    const { Output } = await agent.untilCheck('moved:a', ({ Status }) => Status === 'passing')
    t.match(Output, /^HTTP POST .*\/moved: 200 OK Output: b+$/)
    t.equal(Output.match(/b+$/)?.[0].length, 4096)
    t.match(own.requests.slice(0, 2), [{ method: 'POST', url: '/moved' }, { method: 'GET', url: '/ok' }])
  })

  t.test('an HTTP check that has no answer in time, or none at all, is critical', { buffered: true }, async t => {
    const own = await answerer(t)
    own.status = 'nothing'
    const target = `http://127.0.0.1:${await freePort()}`
    await agent.register({
      Name: 'silent',
      Checks: [
        { CheckID: 'silent:a', HTTP: own.url, Interval: '1s', Timeout: '200ms', Status: 'passing' },
        { CheckID: 'silent:b', HTTP: target, Interval: '1s', Status: 'passing' }
      ]
    })
    for (const id of ['silent:a', 'silent:b']) {
      t.match((await agent.untilCheck(id, ({ Status }) => Status === 'critical')).Output, /./)
    }
  })

  t.test('a TCP check is passing when something listens', { buffered: true }, async t => {
    const server = createTcpServer(socket => socket.end())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const target = `127.0.0.1:${(server.address() as AddressInfo).port}`
    await agent.register({ Name: 'tcp', Check: { CheckID: 'tcp:a', TCP: target, Interval: '1s' } })
    t.match(await agent.untilCheck('tcp:a', ({ Status }) => Status === 'passing'), {
      Output: `TCP connect ${target}: Success`, Type: 'tcp'
    })
    server.close()
    await agent.untilCheck('tcp:a', ({ Status }) => Status === 'critical')
  })

  t.test('the first result counts, and another when there are enough in a row', { buffered: true }, async t => {
    const own = await answerer(t)
    await agent.register({
      Name: 'counted',
      Check: {
        CheckID: 'counted:a', HTTP: own.url, Interval: '1s', SuccessBeforePassing: 2, FailuresBeforeCritical: 3
      }
    })
    const during = async (status: string, runs: number, next: string): Promise<void> => {
      const before = own.requests.length
      await agent.untilCheck('counted:a', ({ Status }) => Status !== status)
      t.equal(own.requests.length - before, runs, `${runs} for ${next}`)
      t.match(await agent.check('counted:a'), { Status: next })
    }
    await during('critical', 1, 'passing')
    own.status = 500
    await during('passing', 3, 'critical')
    own.status = 200
    await during('critical', 2, 'passing')
  })

  t.test('a failure that comes first counts', { buffered: true }, async t => {
    const own = await answerer(t)
    own.status = 500
    const check = { CheckID: 'first:a', HTTP: own.url, Interval: '1s', Status: 'passing', FailuresBeforeCritical: 3 }
    await agent.register({ Name: 'first', Check: check })
    await agent.untilCheck('first:a', ({ Status }) => Status === 'critical')
    t.equal(own.requests.length, 1)
  })

  t.test('a check that is gone asks no more', { buffered: true }, async t => {
    const own = await answerer(t)
    await agent.register({ Name: 'ended', Check: { CheckID: 'ended:a', HTTP: own.url, Interval: '1s' } })
    await agent.untilCheck('ended:a', ({ Status }) => Status === 'passing')
    await agent.deregister('ended')
    const { length } = own.requests
    await agent.health('ended', 'index=1000000&wait=1500ms')
    t.equal(own.requests.length, length)
  })

  t.test('the agent says why an instance of its own is out', { buffered: true }, async t => {
    const path = '/v1/agent/health/service/name/local'
    t.match(await agent.api('GET', path), { status: 404, json: [] })
    await agent.register({ ID: 'local-1', Name: 'local', Check: { CheckID: 'local:1', TTL: '1h', Status: 'passing' } })
    await agent.register({ ID: 'local-2', Name: 'local', Check: { CheckID: 'local:2', TTL: '1h', Status: 'passing' } })
    const said = async (status: number, reason: string): Promise<void> => {
      const answer = await agent.api('GET', path)
      t.equal(answer.status, status)
      t.equal(answer.headers['x-consul-reason'], reason)
    }
    await said(200, 'passing')
    await agent.update('local:1', 'warning')
    await said(429, 'warning')
    await agent.maintenance('local-1', 'enable=true')
    await said(503, 'maintenance')
    await agent.maintenance('local-1', 'enable=false')
    await agent.update('local:2', 'critical', 'ill')
    await said(503, 'critical')
    const { json } = await agent.api<{ AggregatedStatus: string, Checks: object[] }[]>('GET', path)
    t.match(json.find(({ AggregatedStatus }) => AggregatedStatus === 'critical')?.Checks, [{ Output: 'ill' }])
  })
}

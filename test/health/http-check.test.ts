import { createServer, type RequestListener, type Server } from 'node:http'
import { once } from 'node:events'
import { MockAgent } from 'undici'
import t from 'tap'
import { httpCheck, type HttpCheckSettings } from '../../lib/health/http-check.ts'
import { HealthCheckManager } from '../../lib/health/manager.ts'
import type { CheckResult } from '../../lib/health/check.ts'
import { freePort } from '../support/ports.ts'
import type { Teardown } from '../support/teardown.ts'
import { until } from '../support/wait.ts'

interface Endpoint { server: Server, host: string, url: string }

async function startEndpoint (t: Teardown, listener: RequestListener): Promise<Endpoint> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  t.teardown(() => new Promise(resolve => {
    server.close(resolve)
    server.closeAllConnections()
  }))
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  const host = `127.0.0.1:${address.port}`
  return { server, host, url: `http://${host}/health` }
}

async function outcomeOf (url: string | URL, settings: HttpCheckSettings = {}): Promise<CheckResult | undefined> {
  const manager = new HealthCheckManager()
  manager.add(httpCheck(url, { name: 'a', ...settings }))
  return (await manager.check()).checks.a
}

t.test('every 2xx is healthy, everything else is not, or what is expected', async t => {
  let status = 200
  const { url } = await startEndpoint(t, (_request, response) => response.writeHead(status).end('body'))
  for (status of [200, 204, 299]) t.same(await outcomeOf(url), { status: 'healthy' }, String(status))
  for (status of [400, 404, 500, 503]) {
    t.same(await outcomeOf(new URL(url)), { status: 'unhealthy', message: `answered ${status}` })
  }
  status = 401
  t.same(await outcomeOf(url, { expect: 401 }), { status: 'healthy' })
  t.same(await outcomeOf(url, { expect: [200, 401] }), { status: 'healthy' })
  t.same(await outcomeOf(url, { expect: [200] }), { status: 'unhealthy', message: 'answered 401' })
})

t.test('a redirect is not followed', async t => {
  const asked: Array<string | undefined> = []
  const { url } = await startEndpoint(t, (request, response) => {
    asked.push(request.url)
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  t.same(await outcomeOf(url), { status: 'unhealthy', message: 'answered 302' })
  t.same(asked, ['/health'])
})

t.test('method and headers are the caller\'s, credentials in the URL become a header', async t => {
  const seen: unknown[] = []
  const { host } = await startEndpoint(t, ({ method, url, headers }, response) => {
    seen.push({ method, url, authorization: headers.authorization, own: headers['x-own'] })
    response.end()
  })
  await outcomeOf(`http://us%40er:p%3Ass@${host}/a?b=c`, { method: 'HEAD', headers: { 'x-own': 'yes' } })
  await outcomeOf(`http://${host}`)
  t.same(seen, [
    { method: 'HEAD', url: '/a?b=c', own: 'yes', authorization: `Basic ${btoa('us@er:p:ss')}` },
    { method: 'GET', url: '/', own: undefined, authorization: undefined }
  ])
})

t.test('no message shows the URL', async t => {
  const port = await freePort()
  const refused = await outcomeOf(`http://user:secret@127.0.0.1:${port}/path?token=secret`)
  t.equal(refused?.message, `connect ECONNREFUSED 127.0.0.1:${port}`)
  for (const url of ['nonsense secret', 'redis://user:secret@a', 'http://%zz:secret@a', '']) {
    t.throws(() => httpCheck(url), {
      code: 'FST_CONSUL_INVALID_OPTION',
      message: 'The URL of a health check must be an http or https URL, got another value'
    })
  }
})

t.test('at its limit it gives the connection up, whether no headers came or no end', async t => {
  const { server, host } = await startEndpoint(t, (request, response) => {
    if (request.url === '/body') response.writeHead(200).write('and so on')
  })
  let open = 0
  server.on('connection', socket => {
    open++
    socket.on('close', () => { open-- })
  })
  for (const path of ['/headers', '/body']) {
    t.same(await outcomeOf(`http://${host}${path}`, { timeout: 100 }),
      { status: 'unhealthy', message: 'did not settle within 100 ms' })
    await until(() => open === 0)
  }
})

t.test('a body of any length is read, and no connection is kept', async t => {
  let connections = 0
  const { server, url } = await startEndpoint(t, (_request, response) => response.end(Buffer.alloc(1_000_000)))
  server.on('connection', () => connections++)
  const check = httpCheck(url)
  for (let run = 0; run < 3; run++) t.equal(await check.run(new AbortController().signal), undefined)
  t.equal(connections, 3)
  await until(() => new Promise(resolve => server.getConnections((_error, count) => resolve(count === 0))))
})

t.test('a dispatcher of the caller\'s sends it', async t => {
  const dispatcher = new MockAgent()
  t.teardown(() => dispatcher.close())
  dispatcher.disableNetConnect()
  dispatcher.get('http://l02-runtime').intercept({ path: '/health' }).reply(204)
  t.same(await outcomeOf('http://l02-runtime/health', { dispatcher }), { status: 'healthy' })
})

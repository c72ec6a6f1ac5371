import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { startCountingProxy } from './counting-proxy.ts'

t.test('requests pass, are counted by path and can be answered in between', async t => {
  const server = createServer((request, response) => {
    response.setHeader('x-consul-index', '7')
    request.pipe(response)
  })
  t.teardown(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const proxy = await startCountingProxy(t, `http://127.0.0.1:${port}`)

  const response = await fetch(`${proxy.url}/v1/a?stale`, { method: 'PUT', body: 'body' })
  t.equal(await response.text(), 'body')
  t.equal(response.headers.get('x-consul-index'), '7')
  t.match(proxy.requests, [{ method: 'PUT', url: '/v1/a?stale' }])
  proxy.answer = ({ url }) => url === '/v1/b' ? { status: 429, body: 'slow down' } : undefined
  t.equal((await fetch(`${proxy.url}/v1/b`)).status, 429)
  t.equal((await fetch(`${proxy.url}/v1/c`)).status, 200)
  t.strictSame([proxy.count('/v1/a'), proxy.count('/v1/b'), proxy.count()], [1, 1, 3])
})

import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { testApp } from './lifecycle/app.ts'
import { serviceCount } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { startCountingProxy } from './support/counting-proxy.ts'
import { freePort } from './support/ports.ts'
import { startScript } from './support/process.ts'

const consul = await startConsul(t)

async function fail (): Promise<void> {
  throw new Error('not today')
}

/** Where another plugin fails: all after ours, as ours is registered first; `root` hooks run before a child's. */
const failures: Record<string, (app: FastifyInstance) => void> = {
  'the body of a plugin': app => { app.register(fail) },
  'the onReady of a plugin after ours': app => { app.addHook('onReady', fail) },
  'the onReady of an encapsulated plugin': app => { app.register(async child => { child.addHook('onReady', fail) }) }
}

for (const [where, routes] of Object.entries(failures)) {
  for (const registerOn of ['listening', 'ready'] as const) {
    t.test(`a boot that fails in ${where} registers nothing on ${registerOn} and leaves nothing running`, async t => {
      const proxy = await startCountingProxy(t, consul.url)
      const { app } = await testApp(t, {
        url: proxy.url,
        service: { name: 'failing', port: await freePort(), registerOn },
        discovery: { preload: ['other'] },
        routes
      })
      await t.rejects(app.listen({ port: 0, host: '127.0.0.1' }), { message: 'not today' })
      if (where === 'the body of a plugin') t.equal(proxy.count(), 0, 'nothing was begun')
      else await t.rejects(app.discover('other'), { code: 'FST_CONSUL_CLOSED' }, 'what was begun has ended')
      const others = proxy.requests.filter(({ url }) => !url.startsWith('/v1/health/service/other'))
      t.same(others, [], 'nothing but the preloaded service was asked for')
      t.equal(app.consul.registration.state, 'none')
      t.equal(await serviceCount(consul), 0)
      await app.close()
    })
  }
}

t.test('before ours: an onReady that fails first', async t => {
  const proxy = await startCountingProxy(t, consul.url)
  const script = await startScript(t, new URL('boot-failure.ts', import.meta.url), {
    args: ['before'], env: { CONSUL_URL: proxy.url, SERVICE_NAME: 'failing' }
  })
  t.same(await script.ended, { code: 0, signal: null }, 'the process ends by itself, without close()')
  t.match(script.output, 'rejected: not today')
  t.equal(proxy.count(), 0)
})

t.test('after ours, with a preloaded service: the process ends by itself, without close()', async t => {
  const script = await startScript(t, new URL('boot-failure.ts', import.meta.url), {
    args: ['after'], env: { CONSUL_URL: consul.url, SERVICE_NAME: 'failing' }
  })
  t.same(await script.ended, { code: 0, signal: null })
  t.match(script.output, 'rejected: not today')
  t.equal(await serviceCount(consul), 0)
})

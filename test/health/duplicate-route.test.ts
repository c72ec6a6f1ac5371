import Fastify from 'fastify'
import t from 'tap'
import { healthApp } from './health-app.ts'

const code = 'FST_CONSUL_DUPLICATE_ROUTE'
const handler = async (): Promise<string> => 'mine'

t.test('an app that has the route already is told which option to change', async t => {
  for (const [url, option] of [['/health/ready', 'health.readyPath'], ['/health/live', 'health.livePath']] as const) {
    const app = Fastify()
    app.get(url, handler)
    await t.rejects(healthApp(t, { app }), {
      code, message: `The route GET ${url} exists already: set ${option} to another path, or health to false`
    })
  }
})

t.test('so is an app that adds the route later, also in a child', async t => {
  const { app } = await healthApp(t)
  t.throws(() => app.get('/health/ready', handler), { code, message: /set health\.readyPath/ })
  t.throws(() => app.route({ method: ['POST', 'GET'], url: '/health/live', handler }), { code })
  app.register(async child => { child.get('/ready', handler) }, { prefix: '/health' })
  await t.rejects(async () => app.ready(), {
    code, message: /GET \/health\/ready exists already: set health\.readyPath/
  })
})

t.test('one path for both routes is an error', async t => {
  await t.rejects(healthApp(t, { livePath: '/health/ready' }), { code, message: /set health\.livePath/ })
})

t.test('another method, path or constraint is the app\'s own affair', async t => {
  const { app } = await healthApp(t)
  app.post('/health/ready', handler)
  app.get('/health', handler)
  app.route({ method: 'GET', url: '/health/ready', constraints: { host: 'other' }, handler })
  await app.ready()
  t.equal((await app.inject('/health/ready')).json().status, 'healthy')
  t.equal((await app.inject({ url: '/health/ready', headers: { host: 'other' } })).body, 'mine')
})

t.test('an error of another kind stays what it is', async t => {
  await t.rejects(healthApp(t, { readyPath: '/health/:bad(' }), /Invalid regexp/)
})

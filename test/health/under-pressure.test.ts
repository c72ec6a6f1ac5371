import underPressure, { type FastifyUnderPressureOptions } from '@fastify/under-pressure'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { consulCheckHeader } from '../../lib/check-header.ts'
import { pressureCheck } from '../../lib/health/pressure-check.ts'
import { until } from '../support/wait.ts'
import { healthApp } from './health-app.ts'

/** Any process exceeds it once it was measured. */
const tooLittle = Object.freeze({ maxHeapUsedBytes: 1, sampleInterval: 20 })
/** No process exceeds it. */
const plenty = Object.freeze({ maxHeapUsedBytes: Number.MAX_SAFE_INTEGER, sampleInterval: 20 })

const degraded = '{"status":"degraded","checks":{"pressure":{"status":"degraded"}}}'
const healthy = '{"status":"healthy","checks":{"pressure":{"status":"healthy"}}}'

async function shed (app: FastifyInstance, options: FastifyUnderPressureOptions): Promise<void> {
  await app.register(underPressure, { ...options })
}

async function statusOf (app: FastifyInstance, url: string, headers = {}): Promise<number> {
  return (await app.inject({ url, headers })).statusCode
}

t.test('under pressure the service is degraded: 200, 429 to Consul, and nothing is shed', async t => {
  const { app } = await healthApp(t, { underPressure: tooLittle })
  app.get('/', async () => 'hello')
  await until(async () => (await app.inject('/health/ready')).body === degraded)
  t.equal(await statusOf(app, '/health/ready'), 200)
  t.equal(await statusOf(app, '/health/ready', { [consulCheckHeader.name]: consulCheckHeader.value }), 429)
  t.equal(await statusOf(app, '/health/live'), 200)
  t.equal(await statusOf(app, '/'), 200)
  t.notOk(app.hasDecorator('isUnderPressure'))
})

t.test('an app that sheds by itself, registered before or after, is asked, and answers no health route', async t => {
  for (const when of ['before', 'after']) {
    const app = Fastify()
    app.get('/', async () => 'hello')
    if (when === 'before') await shed(app, tooLittle)
    await healthApp(t, { app, underPressure: plenty })
    if (when === 'after') await shed(app, tooLittle)
    await until(async () => await statusOf(app, '/') === 503, { what: `the app to shed (${when})` })
    t.equal((await app.inject('/health/ready')).body, degraded)
    t.equal(await statusOf(app, '/health/ready'), 200)
    t.equal(await statusOf(app, '/health/ready', { [consulCheckHeader.name]: consulCheckHeader.value }), 429)
    for (const url of ['/health/ready', '/health/live']) {
      t.equal((await app.inject({ method: 'HEAD', url })).statusCode, 200)
      t.equal(await statusOf(app, url), 200)
    }
  }
})

t.test('the limits of the app\'s own go before ours', async t => {
  for (const when of ['before', 'after']) {
    const app = Fastify()
    if (when === 'before') await shed(app, plenty)
    await healthApp(t, { app, underPressure: tooLittle })
    if (when === 'after') await shed(app, plenty)
    await app.ready()
    await until(() => app.memoryUsage().heapUsed > 0)
    t.equal((await app.inject('/health/ready')).body, healthy)
  }
})

t.test('what the app measures already is not measured again', async t => {
  const app = Fastify()
  await shed(app, plenty)
  await healthApp(t, { app, underPressure: { get maxHeapUsedBytes (): number { throw new Error('used') } } })
  t.equal((await app.inject('/health/ready')).body, healthy)
})

t.test('a handler of the app for pressure answers no health route', async t => {
  const app = Fastify()
  await app.register(underPressure, { ...tooLittle, pressureHandler: (_request, reply) => { reply.code(418).send() } })
  app.get('/', async () => 'hello')
  await healthApp(t, { app })
  await until(async () => await statusOf(app, '/') === 418)
  t.equal(await statusOf(app, '/health/ready'), 200)
  t.equal(await statusOf(app, '/health/live'), 200)
})

t.test('a blocked event loop is pressure until it turns again', async t => {
  const { app } = await healthApp(t, { underPressure: { maxEventLoopDelay: 50, sampleInterval: 200 } })
  await until(async () => (await app.inject('/health/ready')).body === healthy)
  const end = performance.now() + 1500
  while (performance.now() < end);
  await until(async () => (await app.inject('/health/ready')).body === degraded, { interval: 1 })
  await until(async () => (await app.inject('/health/ready')).body === healthy)
})

t.test('without it nothing is measured, and an app that sheds still answers no health route', async t => {
  const app = Fastify()
  await shed(app, tooLittle)
  app.get('/', async () => 'hello')
  await healthApp(t, { app, underPressure: false })
  await until(async () => await statusOf(app, '/') === 503)
  t.equal((await app.inject('/health/ready')).body, '{"status":"healthy","checks":{}}')
  t.equal(await statusOf(app, '/health/live'), 200)
})

t.test('a check named pressure of the app\'s own takes the place of ours', async t => {
  const app = Fastify()
  await shed(app, tooLittle)
  const own = pressureCheck(app, { critical: true })
  await healthApp(t, { app, underPressure: plenty, checks: [own] })
  await app.ready()
  await until(async () => (await app.inject('/health/ready')).body === degraded)
})

t.test('a pressure check of an app that measures nothing fails, and makes the whole degraded', async t => {
  const app = Fastify()
  const { manager } = await healthApp(t, { app, checks: [pressureCheck(app, { name: 'load' })] })
  t.match(await manager.check(), {
    status: 'degraded', checks: { load: { status: 'unhealthy', message: /isUnderPressure is not a function/ } }
  })
})

t.test('a pressure check of nothing is refused', async t => {
  t.throws(() => pressureCheck(undefined as unknown as FastifyInstance), {
    code: 'FST_CONSUL_INVALID_OPTION', message: /a Fastify instance, got undefined/
  })
})

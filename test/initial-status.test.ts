import t, { type Test } from 'tap'
import type { WireHealthEntry } from '../lib/consul/wire.ts'
import { ConsulClient } from '../lib/index.ts'
import type { HealthCheck } from '../lib/options/types.ts'
import { withoutOptions } from './examples/boot.ts'
import { listeningApp, messages } from './lifecycle/app.ts'
import { checksOf, onlyCheckOf, registered, statusesOf } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { startCountingProxy } from './support/counting-proxy.ts'
import { type Script, startScript } from './support/process.ts'
import { until } from './support/wait.ts'

const consul = await startConsul(t)
const { url } = consul

/** A check that answers what the test says. Consul's own would look only after an hour. */
function database (): { check: HealthCheck, become: (status: 'healthy' | 'degraded' | 'unhealthy') => void } {
  let status: 'healthy' | 'degraded' | 'unhealthy' = 'unhealthy'
  return { check: { name: 'database', run: () => ({ status }) }, become: next => { status = next } }
}

t.test('unhealthy at the start: critical in Consul; the first healthy result is pushed at once', async t => {
  const { check, become } = database()
  const { lines } = await listeningApp(t, {
    url, service: { name: 'ill', id: 'ill' }, check: { interval: '24h' }, health: { checks: [check], cacheFor: 0 }
  })
  await registered(consul, 'ill', 'critical')
  become('healthy')
  await registered(consul, 'ill', 'passing')
  t.match(await onlyCheckOf(consul, 'ill'), { CheckID: 'service:ill:b' })
  t.same(messages(lines).filter(line => line.startsWith('Consul\'s check')), [], 'no contradiction is seen in that')
})

t.test('from unhealthy over degraded to healthy: critical, warning, passing', async t => {
  const { check, become } = database()
  await listeningApp(t, {
    url, service: { name: 'slowly' }, check: { interval: '24h' }, health: { checks: [check], cacheFor: 0 }
  })
  await registered(consul, 'slowly', 'critical')
  become('degraded')
  await registered(consul, 'slowly', 'warning')
  become('unhealthy')
  become('healthy')
  await registered(consul, 'slowly', 'passing')
})

t.test('healthy at the start: passing, and nothing is written again', async t => {
  const proxy = await startCountingProxy(t, url)
  const { check, become } = database()
  become('healthy')
  const { app } = await listeningApp(t, {
    url: proxy.url, service: { name: 'well' }, check: { interval: '24h' }, health: { checks: [check], cacheFor: 0 }
  })
  await until(() => app.consul.registration.state === 'registered')
  t.same(await statusesOf(consul, 'well'), ['passing'])
  become('degraded')
  await app.consul.health.check()
  become('healthy')
  await app.consul.health.check()
  t.equal(proxy.count('/v1/agent/service/register'), 1, 'what changes later is for Consul\'s own check')
})

t.test('Consul\'s check finds a service out that falls ill later', async t => {
  const { check, become } = database()
  become('healthy')
  const { lines } = await listeningApp(t, {
    url, service: { name: 'falling' }, check: { interval: '1s' }, health: { checks: [check], cacheFor: 0 }
  })
  await registered(consul, 'falling', 'passing')
  become('degraded')
  await registered(consul, 'falling', 'warning')
  become('unhealthy')
  await registered(consul, 'falling', 'critical')
  become('healthy')
  await registered(consul, 'falling', 'passing')
  t.notMatch(messages(lines).join(), /Consul's check fails/)
})

t.test('a push that Consul does not take is tried again', async t => {
  const proxy = await startCountingProxy(t, url)
  const { check, become } = database()
  const { app, lines } = await listeningApp(t, {
    url: proxy.url, service: { name: 'pushed' }, check: { interval: '24h' }, health: { checks: [check], cacheFor: 0 }
  })
  await registered(consul, 'pushed', 'critical')
  await until(() => app.consul.registration.state === 'registered')
  let refusals = 0
  proxy.answer = ({ method }) => method === 'PUT' && ++refusals < 3
    ? { status: 500, body: refusals === 1 ? 'No cluster leader' : 'rpc error making call: EOF' }
    : undefined
  become('healthy')
  await registered(consul, 'pushed', 'passing')
  await until(() => app.consul.registration.error === undefined)
  const told = messages(lines, 'warn').filter(line => line.startsWith('The registration could not'))
  t.equal(told.length, 1)
})

t.test('while Consul is down a push waits for it, and asks nothing itself', async t => {
  const own = await startConsul(t)
  const { check, become } = database()
  const { app } = await listeningApp(t, {
    url: own.url, service: { name: 'waiting' }, check: { interval: '24h' }, health: { checks: [check], cacheFor: 0 }
  })
  await until(() => app.consul.registration.state === 'registered')
  const { client } = app.consul
  const pushes = t.capture(client, 'agentChecks', client.agentChecks)
  const probes = t.capture(client, 'ping', client.ping)
  await own.kill()
  become('healthy')
  await until(() => app.consul.registration.error)
  let probed = probes().length
  await until(() => (probed += probes().length) > 5, { timeout: 20_000 })
  t.equal(pushes().length, 1)
  await own.start()
  await registered(own, 'waiting', 'passing')
})

// Routable

const client = new ConsulClient({ url: consul.url })
t.teardown(() => client.close())

/** The time to beat, in milliseconds. */
const soon = 100
/** What keeps the machine busy holds up a registration by hand too, which takes 5 ms on an idle one. */
const tries = 10
const timesByHand = 10

interface Started {
  script: Script
  port: string
  /** Milliseconds from listening until the catalog listed it as passing. */
  took: number
}

/** Starts the minimal example; the catalog has no passing instance of it before. */
async function start (t: Test, name: string, port: string): Promise<Started> {
  const index = (await client.health(name)).index ?? '1'
  const passing = passingSince(name, index)
  const script = await startScript(t, new URL('../examples/minimal.ts', import.meta.url), {
    env: {
      ...withoutOptions(), CONSUL_URL: consul.url, SERVICE_NAME: name, PORT: port, CONSUL_CHECK_INTERVAL: '1s'
    }
  })
  const { time, msg } = JSON.parse(await script.line(/Server listening at/)) as { time: number, msg: string }
  return { script, port: new URL(msg.split(' at ')[1] ?? '').port, took: await passing - time }
}

/** When Consul told that the service is passing. */
async function passingSince (name: string, from: string): Promise<number> {
  let index: string | undefined = from
  for (;;) {
    const { value, index: next } = await client.health(name, { index, wait: '30s' })
    if (value.length === 1 && value.every(isPassing)) return Date.now()
    index = next
  }
}

/** Milliseconds until the catalog lists what was registered by hand. */
async function byHand (name: string): Promise<number> {
  const index = (await client.health(name)).index ?? '1'
  const passing = passingSince(name, index)
  const began = Date.now()
  await client.registerService({ name, check: { ttl: '1m', status: 'passing' } })
  return await passing - began
}

const isPassing = ({ Checks: checks }: WireHealthEntry): boolean => checks.every(({ Status }) => Status === 'passing')

async function isSoonOnce (measure: (round: number) => Promise<number>): Promise<boolean> {
  for (let round = 0; round < tries; round++) {
    const limit = Math.max(soon, timesByHand * await byHand(`by-hand-${performance.now()}`))
    const took = await measure(round)
    t.comment(`${took} ms`)
    if (took < limit) return true
  }
  return false
}

t.test(`on port 0 a service is passing within ${soon} ms of listening`, async t => {
  t.ok(await isSoonOnce(async round => (await start(t, `new-${round}`, '0')).took))
})

t.test(`killed and started again on the same port it is passing within ${soon} ms of listening`, async t => {
  let { script, port } = await start(t, 'again', '0')
  t.ok(await isSoonOnce(async () => {
    await script.kill('SIGKILL')
    await registered(consul, 'again', 'critical')
    const started = await start(t, 'again', port)
    script = started.script
    return started.took
  }))
  await until(async () => (await checksOf(consul, 'again')).length === 1, { what: 'the new check alone' })
})

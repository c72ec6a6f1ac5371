import t from 'tap'
import { Registration } from '../../lib/lifecycle/registration.ts'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { fastClock } from '../support/fast-clock.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/wait.ts'
import { listeningApp, messages } from './app.ts'
import { agentService, checksOf, entriesOf, onlyCheckOf, registered } from './catalog.ts'
import { registrationParts } from './parts.ts'

const consul = await startConsul(t)
const { url } = consul

t.test('a registration is never at the agent without a check', async t => {
  const proxy = await startCountingProxy(t, url)
  await consul.api('PUT', '/v1/agent/service/register', {
    ID: 'again', Name: 'again', Check: { CheckID: 'service:again:a', Name: 'old', TTL: '10m' }
  })
  await listeningApp(t, { url: proxy.url, service: { name: 'again', id: 'again' } })
  await registered(consul, 'again', 'passing')
  t.same(proxy.requests.filter(({ method }) => method === 'PUT').map(({ url }) => url.split('?')[0]), [
    '/v1/agent/service/register', '/v1/agent/check/deregister/service%3Aagain%3Aa'
  ])
})

t.test('while nothing changes nothing is written, and nothing asked again', async t => {
  const proxy = await startCountingProxy(t, url)
  const { app } = await listeningApp(t, { url: proxy.url, service: { name: 'calm' } })
  await until(() => app.consul.registration.state === 'registered')
  await until(() => proxy.requests.some(({ url }) => url.includes('hash=')))
  const { index } = await app.consul.client.health('calm')
  const waits = new RegExp(`/health/service/calm\\?.*index=${index}(&|$)`)
  await until(() => proxy.requests.some(({ url }) => waits.test(url)))
  const before = proxy.count()
  for (let round = 0; round < 3; round++) { // Other services come and go.
    await consul.api('PUT', '/v1/agent/service/register', { Name: `noise-${round}` })
    await consul.api('PUT', `/v1/agent/service/deregister/noise-${round}`)
  }
  await app.consul.client.leader()
  t.equal(proxy.count() - before, 1)
})

t.test('taken away again and again, it comes back three times at once and then every ten seconds', async t => {
  const { app, lines } = await listeningApp(t, { url, service: { name: 'fought', id: 'fought' } })
  await until(() => app.consul.registration.state === 'registered')
  const lost = (): number => messages(lines).filter(line => line.startsWith('The registration was lost')).length
  const started = performance.now()
  const took: number[] = []
  for (let round = 1; round <= 4; round++) {
    const before = performance.now()
    await consul.api('PUT', '/v1/agent/service/deregister/fought')
    await until(() => lost() === round)
    if (round === 4) t.equal(app.consul.registration.state, 'registering', 'while it waits it says so')
    await until(async () => lost() === round && await agentService(consul, 'fought'), { timeout: 20_000 })
    await until(() => app.consul.registration.state === 'registered', { timeout: 20_000 })
    took.push(performance.now() - before)
  }
  t.ok(Math.min(...took.slice(0, 3)) < 3000, 'the first three times at once')
  t.ok(performance.now() - started >= 9000, 'the fourth time is not')
})

t.test('what is lost while a correction waits for its turn comes back with it', async t => {
  const { parts, plan, lines } = registrationParts(t, {
    url, service: { name: 'twice', id: 'twice' }, check: { interval: '24h' }
  })
  let status: 'passing' | 'critical' = 'passing'
  const registration = new Registration({
    ...parts, readiness: async () => ({ status, output: status }), clock: fastClock(3)
  })
  t.teardown(() => registration.close())
  const isState = (state: string): Promise<boolean> => until(() => registration.status.state === state)
  const edit = (tag: string) => consul.api('PUT', '/v1/agent/service/register', {
    ID: 'twice', Name: 'twice', Port: 80, Tags: [tag], Weights: { Passing: 1, Warning: 1 }
  })
  const isRight = async (): Promise<boolean> => (await agentService(consul, 'twice'))?.Tags?.length === 0
  await registration.start(plan)
  await isState('registered')
  for (const round of [1, 2]) {
    const before = registration.status.since
    await consul.api('PUT', '/v1/agent/service/deregister/twice')
    await until(() => registration.status.since > before, { what: `loss ${round}` })
    await isState('registered')
  }
  status = 'critical'
  await edit('first')
  await until(isRight)
  await isState('registered')
  await edit('second') // The fourth one waits: for 10 s, or a third of that on this clock.
  await until(() => messages(lines).filter(line => line.startsWith('The registration was lost')).length === 4)
  status = 'passing'
  await until(async () => registration.status.state === 'registered' && await isRight())
  await registered(consul, 'twice', 'passing')
  await consul.api('PUT', `/v1/agent/check/deregister/${(await onlyCheckOf(consul, 'twice')).CheckID}`)
  await until(async () => (await checksOf(consul, 'twice')).length === 1)
  await registered(consul, 'twice', 'passing')
})

t.test('a check that goes before the catalog was seen to list it is written again', async t => {
  const { parts, plan } = registrationParts(t, { url, service: { name: 'hasty', id: 'hasty' } })
  let list: Parameters<typeof parts.follow>[1] = () => {}
  const clock = new ManualClock()
  const registration = new Registration({
    ...parts,
    clock,
    follow (_, listener) {
      list = listener
      return () => {}
    }
  })
  t.teardown(() => registration.close())
  await registration.start(plan)
  await consul.api('PUT', '/v1/agent/check/deregister/service:hasty:a')
  list(await entriesOf(consul, 'hasty'), false)
  t.same(await checksOf(consul, 'hasty'), [])
  clock.advance(3000) // In which the catalog should have shown it.
  await until(async () => (await checksOf(consul, 'hasty')).length === 1)
  t.equal(registration.status.error, undefined)
  await until(async () => {
    list(await entriesOf(consul, 'hasty'), false)
    return registration.status.state === 'registered'
  })
})

t.test('the status tells since when, and is frozen', async t => {
  const { app } = await listeningApp(t, { url, service: { name: 'dated' }, drain: { timeout: '20s' } })
  const before = app.consul.registration
  t.equal(before.state, 'registering')
  await until(() => app.consul.registration.state === 'registered')
  const after = app.consul.registration
  t.ok(after.since >= before.since)
  t.ok(Object.isFrozen(after))
  t.equal(app.consul.registration, after)
  await app.close()
  t.same(await entriesOf(consul, 'dated'), [])
})

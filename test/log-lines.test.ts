import t from 'tap'
import { listeningApp, messages } from './lifecycle/app.ts'
import { registered } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { until } from './support/wait.ts'

const consul = await startConsul(t)
const { url } = consul

t.test('a whole life is a line for each change of state and none for a request', async t => {
  const other = await listeningApp(t, { url, service: { name: 'other' } })
  await registered(consul, 'other', 'passing')
  const { app, lines, port, url: own } = await listeningApp(t, { url, service: { name: 'talker' } })
  const { Service: { ID: id } } = await registered(consul, 'talker', 'passing')
  await until(() => app.consul.registration.state === 'registered')
  for (let i = 0; i < 50; i++) {
    await app.discover('other')
    await app.consul.getServiceUrl('other')
    t.equal(await (await app.fetch('http://other/')).text(), 'hello')
    t.equal((await fetch(`${own}/health/ready`)).status, 200)
    app.consul.explain('other')
  }
  await other.app.close()
  await until(async () => (await app.discover('other')).length === 0)
  await app.close()
  t.strictSame(lines, [
    {
      level: 'info',
      details: {
        service: 'talker',
        id,
        address: '127.0.0.1',
        port,
        status: 'passing',
        check: `http://127.0.0.1:${port}/health/ready`
      },
      message: 'Registered with Consul'
    },
    { level: 'info', details: { service: 'other', instances: 1 }, message: 'Healthy instances were found' },
    { level: 'warn', details: { service: 'other', known: 0 }, message: 'No healthy instance is left' },
    { level: 'info', details: { id }, message: 'Deregistered from Consul' }
  ])
})

t.test('the own service is no news, unless it is asked for', async t => {
  const { app, lines } = await listeningApp(t, { url, service: { name: 'narcissus' } })
  await until(() => app.consul.registration.state === 'registered')
  await app.discover('narcissus')
  await consul.api('PUT', `/v1/agent/service/maintenance/${app.consul.registration.id}?enable=true&reason=x`)
  await until(async () => (await app.discover('narcissus')).length === 0)
  t.same(messages(lines), ['Registered with Consul', 'No healthy instance is left'])
})

t.test('an outage is two lines, and one more for what the agent forgot, however much it hits', async t => {
  const own = await startConsul(t)
  const { app, lines } = await listeningApp(t, {
    url: own.url, service: { name: 'steady' }, discovery: { preload: ['a', 'b', 'c'] }
  })
  await until(() => app.consul.registration.state === 'registered')
  await own.kill()
  await until(() => messages(lines, 'warn').length > 0)
  for (let i = 0; i < 20; i++) await app.discover('a')
  await own.start()
  await registered(own, 'steady', 'passing')
  await until(() => app.consul.registration.state === 'registered')
  t.same(messages(lines), [
    'Registered with Consul',
    'Consul cannot be reached; what is known of it is kept',
    'Consul answers again',
    'The registration was lost and is written again'
  ])
})

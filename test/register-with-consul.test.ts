import { hostname } from 'node:os'
import t from 'tap'
import { ConsulClient, registerWithConsul } from '../lib/index.ts'
import { agentService, checkOutput, checksOf, entriesOf, onlyCheckOf, registered } from './lifecycle/catalog.ts'
import { listeningApp } from './lifecycle/app.ts'
import { startConsul } from './support/consul.ts'
import { freePort } from './support/ports.ts'

const consul = await startConsul(t)
const { url } = consul

t.test('with the default check: critical until Consul has found it healthy on /health/ready', async t => {
  const { port } = await listeningApp(t, { url, service: false })
  const id = await registerWithConsul({
    url, name: 'scripted', port, tags: ['v1'], meta: { team: 'a' }, check: { interval: '1s' }
  })
  t.equal(id, `scripted-${hostname()}-${port}`)
  t.match(await agentService(consul, id), { Service: 'scripted', Port: port, Tags: ['v1'], Meta: { team: 'a' } })
  t.match(await checkOutput(consul, 'scripted'), `HTTP GET http://127.0.0.1:${port}/health/ready: 200 OK`)
  await registered(consul, 'scripted', 'passing')

  const client = new ConsulClient({ url })
  t.teardown(() => client.close())
  await client.deregisterService(id)
  t.same(await entriesOf(consul, 'scripted'), [])
})

t.test('without a check it counts as healthy', async t => {
  const id = await registerWithConsul({ url, name: 'unchecked', port: 5432, address: '127.0.0.7', check: false })
  t.equal(id, 'unchecked-127.0.0.7-5432')
  t.match((await registered(consul, 'unchecked')).Service, { Address: '127.0.0.7', Port: 5432 })
  t.same(await checksOf(consul, 'unchecked'), [])
  const client = new ConsulClient({ url })
  t.teardown(() => client.close())
  t.match(await client.discoverService('unchecked'), [{ id, url: 'http://127.0.0.7:5432' }])
})

t.test('without a check it has none, though it was registered with one before', async t => {
  const options = { url, name: 'no-longer', id: 'no-longer', port: 5432 }
  await registerWithConsul(options)
  t.match(await onlyCheckOf(consul, 'no-longer'), { CheckID: 'service:no-longer:a', Status: 'critical' })
  await consul.api('PUT', '/v1/agent/service/maintenance/no-longer?enable=true')
  await registerWithConsul({ ...options, check: false })
  const ids = (await checksOf(consul, 'no-longer')).map(({ CheckID }) => CheckID)
  t.same(ids, ['_service_maintenance:no-longer'], 'but the operator\'s')
})

t.test('SERVICE_ variables are the process\'s own service, not what a script registers', async t => {
  t.teardown(() => {
    delete process.env['SERVICE_ID']
    delete process.env['SERVICE_TAGS']
  })
  Object.assign(process.env, { SERVICE_ID: 'the-process-itself', SERVICE_TAGS: 'own' })
  const id = await registerWithConsul({ url, name: 'other', port: 1, id: undefined, check: false })
  t.equal(id, `other-${hostname()}-1`)
  t.match(await agentService(consul, id), { Tags: [] })
})

t.test('it rejects with what Consul, or nobody, answers, and with what is wrong in the options', async t => {
  const nobody = `http://127.0.0.1:${await freePort()}`
  await t.rejects(registerWithConsul({ url: nobody, name: 'x', port: 1 }), { code: 'FST_CONSUL_API_UNREACHABLE' })
  await t.rejects(registerWithConsul({ url: nobody, name: 'x', port: 1, check: false }), {
    code: 'FST_CONSUL_API_UNREACHABLE'
  })
  await t.rejects(registerWithConsul({ url, name: 'x', port: 70_000 }), {
    code: 'FST_CONSUL_INVALID_OPTION', message: /service\.port/
  })
  // @ts-expect-error the name is required
  await t.rejects(registerWithConsul({ url, port: 1 }), {
    code: 'FST_CONSUL_INVALID_OPTION', message: 'name must be the name of a service, got none'
  })
})

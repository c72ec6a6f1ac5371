import { networkInterfaces } from 'node:os'
import t from 'tap'
import { createServiceRegistry } from '../lib/index.ts'
import { exists } from './support/cache.ts'
import { startCalls } from './faults/support/steady-calls.ts'
import { collectingLogger } from './health/collecting-logger.ts'
import { messages, portOf, testApp } from './lifecycle/app.ts'
import { checkOutput, gone, registered } from './lifecycle/catalog.ts'
import { consulApi, isReady } from './support/consul-api.ts'
import { containerRuntime, startContainer } from './support/containers.ts'
import { freePort } from './support/ports.ts'
import { until } from './support/wait.ts'
import { pathWith, withContainers } from './support/with-containers.ts'

// Who says that there are containers (`TEST_CONTAINERS`) gets no skip.
const { TEST_CONTAINERS: said = 'no' } = process.env
const missing = said === 'no' && await containerRuntime().then(() => false, error => `No containers: ${error.message}`)

t.setTimeout(200_000)

t.test('a Consul in a container is restarted: what was registered is back by itself', { skip: missing }, async t => {
  const hostPort = await freePort()
  const container = await startContainer(t, {
    image: process.env.CONSUL_IMAGE ?? 'hashicorp/consul',
    port: 8500,
    hostPort,
    ready: /Starting Consul agent/,
    command: ['agent', '-dev', '-client=0.0.0.0']
  })
  const url = `http://${container.host}:${hostPort}`
  const consul = { api: consulApi(url) }
  await until(() => isReady(consul.api), { timeout: 20_000, what: 'Consul in the container to be ready' })

  const address = ownAddress()
  const { app, lines } = await testApp(t, {
    url, service: { name: 'outside', address }, check: { interval: '1s' }
  })
  await app.listen({ port: 0, host: '0.0.0.0' })
  await registered(consul, 'outside', 'passing')
  const checked = `HTTP GET http://${address}:${portOf(app)}/health/ready: 200 OK`
  t.match(await checkOutput(consul, 'outside'), checked, 'the check runs in the container and gets out of it')

  const caller = createServiceRegistry('caller', 1, { url, logger: collectingLogger().logger })
  t.teardown(() => caller.close())
  t.equal((await caller.discover('outside')).length, 1)
  let shortest = 1
  const calls = startCalls(t, 50, async () => {
    shortest = Math.min(shortest, (await caller.discover('outside')).length)
    return await caller.request('http://outside/')
  })

  await container.restart()
  await registered(consul, 'outside', 'passing')
  t.match(await checkOutput(consul, 'outside'), checked)
  const explained = await until(() => {
    const { instances, error } = caller.explain('outside')
    return error === undefined && instances
  })
  t.match(explained, [{ address: `${address}:${portOf(app)}` }])
  const { requests, errors, failure } = await calls.end()
  t.comment(`${requests} requests`)
  t.equal(errors, 0, failure ?? 'every call was answered')
  t.equal(shortest, 1, 'the list was never empty')
  t.ok(messages(lines).some(line => line.startsWith('The registration was lost')), 'Consul had forgotten it')

  await app.close()
  await gone(consul, 'outside')
})

// Here, after the other one: two at a time are too much for some runtimes.

t.test('one that can be run, but not ours, is a failure of the own podman; others may have to pull it', {
  skip: process.env.TEST_CONTAINERS === 'no' && 'no containers'
}, async t => {
  const { PATH } = await pathWith(t, 'consul', 'echo "Consul v1.2.3"; rm "$0"') // Gone when it is to be copied.
  const script = await withContainers(t, { PATH })
  const { code } = await script.ended
  const none = script.lines.find(line => line.startsWith('Containers: none can be run here'))
  if (none !== undefined) return t.pass(none, { skip: none })
  const isOwn = process.env.DOCKER_HOST === undefined && !await exists('/var/run/docker.sock')
  t.equal(code, isOwn ? 1 : 7, script.output)
  t.match(script.output, /^Containers: they can be run here, but not the one of Consul\. .*ENOENT/m)
  t.equal(script.lines.some(line => line.startsWith('told')), !isOwn, 'whether the command did run')
})

/** An address of this machine that others reach, containers included. */
function ownAddress (): string {
  const all = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  const found = all.find(({ family, internal }) => family === 'IPv4' && !internal)
  if (found === undefined) throw new Error('this machine has no address but its loopback')
  return found.address
}

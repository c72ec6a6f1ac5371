import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import { startCalls, type SteadyCalls } from '../faults/support/steady-calls.ts'
import { testApp } from '../lifecycle/app.ts'
import type { JsonObject } from '../support/consul-config.ts'
import { startConsul } from '../support/consul.ts'
import { startNginx } from '../support/nginx.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/wait.ts'

// nginx gets addresses from DNS and no ports: each instance has a loopback address of its own.
const skip = process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8'
const subnet = `127.${1 + process.pid % 250}.${Math.floor(Math.random() * 256)}`
const ids = ['1', '2', '3', '4']

const example = new URL('../../examples/nginx/', import.meta.url)
const site = await readFile(new URL('l02-runtime.conf', example), 'utf8')
const config = JSON.parse(await readFile(new URL('consul.json', example), 'utf8')) as JsonObject

interface Front {
  /** The four instances. */
  apps: FastifyInstance[]
  /** A new process, as far as anyone can see, under the same id and address. */
  start: (id: string) => Promise<FastifyInstance>
  /** The ids of the instances that answered through nginx, in order; status codes where none did. */
  answers: string[]
  calls: SteadyCalls
}

/** Consul, instances, and nginx with the example's configuration (edited by `edit`), called all the time. */
async function front (t: Test, edit: (site: string) => string = site => site): Promise<Front> {
  const [dns, port, listen] = [await freePort(), await freePort(`${subnet}.1`), await freePort()]
  const consul = await startConsul(t, { config: { ...config, ports: { dns } } })
  const start = async (id: string): Promise<FastifyInstance> => {
    const { app } = await testApp(t, {
      url: consul.url,
      service: { name: 'l02-runtime', id },
      check: { interval: '1s' },
      drain: { delay: '1500ms' },
      routes: app => app.get('/execute', async (_, reply) => reply.header('x-instance', id).send('executed'))
    })
    await app.listen({ port, host: `${subnet}.${id}` })
    await until(() => app.consul.registration.state === 'registered')
    return app
  }
  const apps = await Promise.all(ids.map(start))
  const ports: Array<[string, number]> = [['127.0.0.1:8600', dns], [':8002', port], ['listen 8080', listen]]
  const ported = ports.reduce((text, [from, to]) => text.replace(from, from.replace(/\d+$/, String(to))), site)
  await startNginx(t, edit(ported))
  const agent = new Agent()
  t.teardown(() => agent.destroy())
  const url = `http://127.0.0.1:${listen}/execute`
  await until(async () => await (await request(url, { dispatcher: agent })).body.text(), { what: 'nginx to answer' })
  const answers: string[] = []
  const calls = startCalls(t, 100, async () => {
    const response = await request(url, { dispatcher: agent })
    answers.push(String(response.headers['x-instance'] ?? response.statusCode))
    return response
  })
  return { apps, start, answers, calls }
}

t.test('nginx calls every instance, also more than Consul puts into one datagram', { skip }, async t => {
  const { answers, calls } = await front(t, site => site.replace('valid=1s', 'valid=1m'))
  await until(() => ids.every(id => answers.includes(id)), { what: 'a call of each out of one answer' })
  const { errors, failure = 'none failed' } = await calls.end()
  t.equal(errors, 0, failure)
})

t.test('nginx follows: who leaves or crashes costs no request, who comes back gets calls', { skip }, async t => {
  const { apps: [first, second, third, last], start, answers, calls } = await front(t)
  const gone = (id: string): Promise<unknown> =>
    until(() => answers.length > 50 && !answers.slice(-50).includes(id), { what: `no more calls of ${id}` })
  const called = async (id: string): Promise<void> => {
    answers.length = 0
    await until(() => answers.includes(id), { what: `calls of ${id}` })
  }
  for (const id of ids) await called(id)

  await first?.close()
  await gone('1')
  t.equal(calls.tally.errors, 0, `left: ${calls.tally.failure}`)
  const again = await start('1')
  await called('1')

  await second?.consul.maintenance(true, 'a new disk')
  await gone('2')
  await second?.consul.maintenance(false)
  await called('2')
  t.equal(calls.tally.errors, 0, `in maintenance: ${calls.tally.failure}`)

  third?.server.close()
  third?.server.closeAllConnections()
  await gone('3')
  t.equal(calls.tally.errors, 0, `crashed: ${calls.tally.failure}`)

  await Promise.all([again, second, third, last].map(app => app?.close()))
  await until(() => answers.at(-1) === '502', { what: '502 where there is no instance' })
  await calls.end()
  t.ok(calls.tally.requests > 100)
})

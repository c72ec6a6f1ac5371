import { hostname } from 'node:os'
import t, { type Test } from 'tap'
import { startDevAgent } from 'fastify-consul/dev'
import { findAgent } from '../../examples/shared/agent.ts'
import { startConsul } from '../support/consul.ts'
import { freePort } from '../support/ports.ts'

async function consulCalled (t: Test, name: string): Promise<string> {
  return (await startConsul(t, { config: { node_name: name } })).url
}

t.test('a Consul of this machine at the usual address is taken, and services are told of it', async t => {
  const usual = await consulCalled(t, hostname())
  const { url, env, description } = await findAgent(t, { CONSUL_TOKEN: 'secret', PATH: 'x' }, usual)
  t.equal(url, usual)
  t.strictSame(env, { CONSUL_TOKEN: 'secret', CONSUL_URL: usual })
  t.match(description, /^Consul \d.* at http:/)
})

t.test('a development agent at the usual address is taken, and said to be none', async t => {
  const agent = await startDevAgent({ port: 0 })
  t.teardown(() => agent.close())
  const { url, description } = await findAgent(t, {}, agent.url)
  t.equal(url, agent.url)
  t.equal(description, `No Consul: a development agent at ${agent.url}`)
})

t.test('a Consul of another machine or container, or none at all, leads to one of its own', async t => {
  const elsewhere = await consulCalled(t, 'container')
  for (const usual of [elsewhere, `http://127.0.0.1:${await freePort()}`]) {
    const { url, env, api } = await findAgent(t, {}, usual)
    t.not(url, usual)
    t.strictSame(env, { CONSUL_URL: url })
    t.equal((await api('GET', '/v1/agent/self')).status, 200)
  }
})

t.test('the environment counts before the usual address', async t => {
  const usual = await consulCalled(t, hostname())
  const agent = await startDevAgent({ port: 0 })
  t.teardown(() => agent.close())
  const address = `127.0.0.1:${agent.port}`
  t.equal((await findAgent(t, { CONSUL_HTTP_ADDR: address }, usual)).url, agent.url, 'without a scheme')
  t.equal((await findAgent(t, { CONSUL_URL: agent.url, CONSUL_HTTP_ADDR: 'nowhere' }, usual)).url, agent.url)
  t.not((await findAgent(t, { CONSUL_URL: '' }, usual)).url, usual, 'empty: one of its own')
  await t.rejects(findAgent(t, { CONSUL_URL: `http://127.0.0.1:${await freePort()}` }, usual), {
    message: /^There is no Consul at http:/
  })
})

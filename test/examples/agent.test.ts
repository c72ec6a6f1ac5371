import t from 'tap'
import { startDevAgent } from 'fastify-consul/dev'
import { findAgent } from '../../examples/shared/agent.ts'
import { startConsul } from '../support/consul.ts'
import { freePort } from '../support/ports.ts'

t.test('the Consul at CONSUL_URL is taken, and services are told of it', async t => {
  const { url } = await startConsul(t)
  const found = await findAgent(t, { CONSUL_URL: url, CONSUL_TOKEN: 'secret', PATH: 'x' })
  t.equal(found.url, url)
  t.strictSame(found.env, { CONSUL_URL: url, CONSUL_TOKEN: 'secret' })
  t.match(found.description, /^Consul \d.* at http:/)
})

t.test('a development agent there is taken, and said to be none', async t => {
  const { url, close } = await startDevAgent({ port: 0 })
  t.teardown(close)
  const { description } = await findAgent(t, { CONSUL_URL: url })
  t.equal(description, `No Consul: a development agent at ${url}`)
})

t.test('without an address it is one of its own', async t => {
  const { url, env, api } = await findAgent(t, { CONSUL_URL: '' })
  t.strictSame(env, { CONSUL_URL: url })
  t.equal((await api('GET', '/v1/agent/self')).status, 200)
})

t.test('where nothing answers, that is said', async t => {
  await t.rejects(findAgent(t, { CONSUL_URL: `http://user:secret@127.0.0.1:${await freePort()}` }), {
    message: /^There is no Consul at http:\/\/127/
  })
})

import type { Test } from 'tap'
import type { Agent, Json } from './agent.ts'

/** Definitions that are refused, and what is said of them. */
const refused: Record<string, readonly [definition: unknown, words: RegExp]> = {
  'without a name': [{ ID: 'x' }, /Missing service name/],
  'that is no object': [[1], /Request decode failed/],
  'with an unknown field': [{ Name: 'x', Nonsense: 1 }, /unknown field "Nonsense"/],
  'with a port that is text': [{ Name: 'x', Port: '80' }, /Request decode failed/],
  'with half a port': [{ Name: 'x', Port: 1.5 }, /Request decode failed/],
  'with tags that are no list': [{ Name: 'x', Tags: 'a' }, /Request decode failed/],
  'at every address': [{ Name: 'x', Address: '0.0.0.0' }, /Invalid service address/],
  'at every IPv6 address': [{ Name: 'x', Address: '::' }, /Invalid service address/],
  'with a weight of nothing': [{ Name: 'x', Weights: { Passing: 0, Warning: 1 } }, /Invalid Weights/],
  'with a weight too high': [{ Name: 'x', Weights: { Passing: 65_536, Warning: 1 } }, /Invalid Weights/],
  'with a meta key that is none': [{ Name: 'x', Meta: { 'a b': '' } }, /Key contains invalid characters/],
  'with a reserved meta key': [{ Name: 'x', Meta: { 'consul-a': '' } }, /reserved/],
  'with a long meta key': [{ Name: 'x', Meta: { ['k'.repeat(129)]: '' } }, /Key is too long/],
  'with a long meta value': [{ Name: 'x', Meta: { k: 'v'.repeat(513) } }, /Value is too long/],
  'with much meta': [{ Name: 'x', Meta: Object.fromEntries([...Array(65).keys()].map(i => [i, ''])) }, /more than 64/],
  'with a check of two kinds': [checked({ TTL: '1s', Interval: '1s', HTTP: 'http://x' }), /Interval and TTL/],
  'with a check without interval': [checked({ HTTP: 'http://x' }), /Interval must be > 0/],
  'with a check without TTL': [checked({ Name: 'y' }), /TTL must be > 0/],
  'with a duration in days': [checked({ TTL: '1d' }), /Request decode failed/],
  'with a status that is none': [checked({ TTL: '1s', Status: 'ill' }), /Status for checks must/],
  'with a check of an unknown field': [checked({ TTL: '1s', Nonsense: 1 }), /Request decode failed/]
}

function checked (check: Json): Json {
  return { Name: 'x', Check: check }
}

export async function refusals (t: Test, agent: Agent): Promise<void> {
  t.test('a registration is refused', async t => {
    for (const [what, [definition, words]] of Object.entries(refused)) {
      const { status, text } = await agent.put('/service/register', definition)
      t.equal(status, 400, what)
      t.match(text, words, what)
    }
    t.same((await agent.health('x')).entries, [])
  })

  t.test('a body that is no JSON is refused', async t => {
    for (const path of ['service/register', 'check/update/x']) {
      const { status } = await fetch(`${agent.url}/v1/agent/${path}`, { method: 'PUT', body: 'no' })
      t.equal(status, 400, path)
    }
  })

  t.test('a question is refused', async t => {
    await agent.register({ Name: 'asked' })
    for (const [query, code, words] of [
      ['index=abc', 400, /Invalid index/],
      ['index=-1', 400, /Invalid index/],
      ['index=18446744073709551616', 400, /Invalid index/],
      ['wait=1', 400, /Invalid wait time/],
      ['wait=1d', 400, /Invalid wait time/],
      ['stale&consistent', 400, /Cannot specify \?stale with \?consistent/],
      ['dc=nowhere', 500, /No path to datacenter/]
    ] as const) {
      const { status, text } = await agent.health('asked', query)
      t.equal(status, code, query)
      t.match(text, words, query)
    }
    t.equal((await agent.api('GET', '/v1/health/service/')).status, 400)
    t.equal((await agent.health('asked', 'index=18446744073709551615&wait=1ms')).status, 200)
  })

  t.test('another method is not allowed', async t => {
    for (const [method, path, allowed] of [
      ['GET', '/v1/agent/service/register', 'OPTIONS,PUT'],
      ['POST', '/v1/agent/service/register', 'OPTIONS,PUT'],
      ['PUT', '/v1/health/service/x', 'OPTIONS,GET']
    ] as const) {
      const { status, headers } = await agent.api(method, path)
      t.equal(status, 405)
      t.equal(headers['allow'], allowed)
    }
  })
}

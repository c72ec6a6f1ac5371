import type { Test } from 'tap'
import type { WireHealthEntry } from '../../lib/consul/wire.ts'
import type { Agent } from './agent.ts'

export async function registration (t: Test, agent: Agent): Promise<void> {
  t.test('a service is found as it was registered', async t => {
    await agent.register({
      ID: 'whole-1',
      Name: 'whole',
      Address: '10.0.0.1',
      Port: 8080,
      Tags: ['a', 'B'],
      Meta: { scheme: 'https', constructor: 'x' },
      Weights: { Passing: 5, Warning: 2 },
      EnableTagOverride: true,
      TaggedAddresses: { edge: { Address: '10.1.1.1', Port: 9 } },
      Check: { CheckID: 'service:whole-1:a', Name: 'ready', Notes: 'n', TTL: '1h', Status: 'warning' }
    })
    const { entries, json, headers, status } = await agent.health('whole')
    t.equal(status, 200)
    t.match(headers['content-type'], /^application\/json/)
    t.equal(headers['x-consul-knownleader'], 'true')
    t.equal(headers['x-consul-lastcontact'], '0')
    t.match(headers['x-consul-index'], /^[1-9]\d*$/)
    const implied = { Address: '10.0.0.1', Port: 8080 }
    const service = {
      ID: 'whole-1',
      Service: 'whole',
      Address: '10.0.0.1',
      Port: 8080,
      Tags: ['a', 'B'],
      Meta: { scheme: 'https', constructor: 'x' },
      Weights: { Passing: 5, Warning: 2 },
      EnableTagOverride: true,
      TaggedAddresses: { edge: { Address: '10.1.1.1', Port: 9 }, lan_ipv4: implied, wan_ipv4: implied }
    }
    const check = {
      CheckID: 'service:whole-1:a',
      Name: 'ready',
      Status: 'warning',
      Output: '',
      Notes: 'n',
      ServiceID: 'whole-1',
      Type: 'ttl'
    }
    t.strictSame(entries, [{ id: 'whole-1', service, checks: { 'service:whole-1:a': check } }])
    const node = json[0]?.Checks.find(({ ServiceID }) => ServiceID === '')
    t.match(node, { CheckID: 'serfHealth', Status: 'passing' })
    t.match(json[0]?.Node, { Node: /./, Address: /./, Datacenter: 'dc1' })
  })

  t.test('what is not said has a default', async t => {
    await agent.register({ Name: 'bare' })
    const { entries } = await agent.health('bare')
    const service = {
      ID: 'bare',
      Service: 'bare',
      Address: '',
      Port: 0,
      Tags: [],
      Meta: {},
      Weights: { Passing: 1, Warning: 1 },
      EnableTagOverride: false,
      TaggedAddresses: {}
    }
    t.strictSame(entries, [{ id: 'bare', service, checks: {} }])
  })

  t.test('fields may be spelt in any case and be null', async t => {
    await agent.register({ name: 'cases', id: null, PORT: 7, tags: null, Check: null })
    t.match((await agent.health('cases')).entries, [{ id: 'cases', service: { Port: 7, Tags: [] } }])
  })

  t.test('checks have ids and names by default, and start critical', async t => {
    await agent.register({ ID: 'one-1', Name: 'one', Check: { TTL: '1h' } })
    await agent.register({ ID: 'two-1', Name: 'two', Checks: [{ TTL: '1h' }, { TTL: '1h', Name: 'own' }] })
    const [one] = (await agent.health('one')).entries
    t.match(one?.checks, { 'service:one-1': { Name: "Service 'one' check", Status: 'critical' } })
    const [two] = (await agent.health('two')).entries
    t.strictSame(Object.keys(two?.checks ?? {}).sort(), ['service:two-1:1', 'service:two-1:2'])
    t.match(two?.checks, { 'service:two-1:2': { Name: 'own' } })
  })

  t.test('an empty check is none', async t => {
    await agent.register({ Name: 'empty-check', Check: {} })
    t.match((await agent.health('empty-check')).entries, [{ checks: {} }])
  })

  t.test('a registration takes the place of the one before, and its checks stay', async t => {
    const check = { CheckID: 'again:a', TTL: '1h', Status: 'passing' }
    await agent.register({ Name: 'again', Port: 1, Tags: ['x'], Check: check })
    await agent.register({ Name: 'again', Port: 2 })
    const { entries } = await agent.health('again')
    t.match(entries, [{ service: { Port: 2, Tags: [] }, checks: { 'again:a': { Status: 'passing' } } }])
    await agent.register({ Name: 'again', Port: 2, Check: { ...check, CheckID: 'again:b' } })
    t.strictSame(Object.keys((await agent.health('again')).entries[0]?.checks ?? {}).sort(), ['again:a', 'again:b'])
  })

  t.test('with replace-existing-checks the others go, maintenance too', async t => {
    await agent.register({ Name: 'replaced', Checks: [{ CheckID: 'replaced:a', TTL: '1h' }] })
    await agent.maintenance('replaced', 'enable=true')
    const check = { CheckID: 'replaced:b', TTL: '1h' }
    await agent.register({ Name: 'replaced', Check: check }, '?replace-existing-checks=true')
    t.strictSame(Object.keys((await agent.health('replaced')).entries[0]?.checks ?? {}), ['replaced:b'])
    await agent.maintenance('replaced', 'enable=true')
    await agent.register({ Name: 'replaced', Port: 1 })
    t.equal(Object.keys((await agent.health('replaced')).entries[0]?.checks ?? {}).length, 2)
  })

  t.test('a check id that is known keeps its status and output; what else is said of it is taken', async t => {
    const check = { CheckID: 'known:a', TTL: '1h' }
    await agent.register({ Name: 'known', Check: { ...check, Status: 'critical' } })
    await agent.update('known:a', 'passing', 'mine')
    await agent.register({ Name: 'known', Check: { ...check, Name: 'new', Notes: 'noted', Status: 'critical' } })
    const expected = { Status: 'passing', Output: 'mine', Name: 'new', Notes: 'noted' }
    t.match(await agent.check('known:a'), expected)
    t.match((await agent.health('known')).entries[0]?.checks, { 'known:a': expected })
    await agent.register({ Name: 'known', Check: { ...check, Status: 'critical' } }, '?replace-existing-checks=true')
    t.match(await agent.check('known:a'), { Status: 'passing' })
  })

  t.test('a service can change its name', async t => {
    await agent.register({ ID: 'renamed', Name: 'name-before' })
    await agent.register({ ID: 'renamed', Name: 'name-after' })
    t.same((await agent.health('name-before')).entries, [])
    t.match((await agent.health('name-after')).entries, [{ id: 'renamed' }])
  })

  t.test('a name is found in any case, and listed as it was spelt', async t => {
    await agent.register({ ID: 'Cased-1', Name: 'Cased', Tags: ['first'] })
    t.match((await agent.health('cased')).entries, [{ id: 'Cased-1', service: { Service: 'Cased' } }])
    t.match((await agent.health('CASED')).entries, [{ id: 'Cased-1' }])
    await agent.register({ ID: 'cased-2', Name: 'cased', Tags: ['second'] })
    for (const name of ['Cased', 'cased']) {
      t.strictSame((await agent.health(name)).entries.map(({ id }) => id), ['Cased-1', 'cased-2'])
      const { json } = await agent.api<{ ServiceID: string }[]>('GET', `/v1/catalog/service/${name}`)
      t.strictSame(json.map(({ ServiceID }) => ServiceID).sort(), ['Cased-1', 'cased-2'])
    }
    t.match((await agent.api<object>('GET', '/v1/catalog/services')).json, { Cased: ['first'], cased: ['second'] })
    await agent.deregister('cased-2')
    const own = (name: string) => agent.api('GET', `/v1/agent/health/service/name/${name}`)
    t.equal((await own('Cased')).status, 200)
    t.equal((await own('cased')).status, 404, 'the agent itself compares names as they are')
    t.equal((await agent.service('cased-1')).status, 404, 'ids are compared as they are')
  })

  t.test('what is deregistered is gone with its checks', async t => {
    await agent.register({ ID: 'gone-1', Name: 'gone', Check: { CheckID: 'gone:a', TTL: '1h' } })
    t.equal((await agent.put('/service/deregister/gone-1')).status, 200)
    t.same((await agent.health('gone')).entries, [])
    t.equal(await agent.check('gone:a'), undefined)
    const { status, text, headers } = await agent.service('gone-1')
    t.equal(status, 404)
    t.equal(text.trim(), 'unknown service ID: gone-1')
    t.match(headers['content-type'], /^text\/plain/)
  })

  t.test('what is not known cannot be deregistered', async t => {
    for (const path of ['/service/deregister/nobody', '/check/deregister/nobody']) {
      const { status, text } = await agent.put(path)
      t.equal(status, agent.tellsUnknown ? 404 : 200, path)
      if (agent.tellsUnknown) t.match(text, /^Unknown (service|check) ID "nobody"/)
    }
  })

  t.test('a check is removed by itself', async t => {
    await agent.register({ Name: 'checked', Check: { CheckID: 'checked:a', TTL: '1h' } })
    t.equal((await agent.put('/check/deregister/checked:a')).status, 200)
    t.match((await agent.health('checked')).entries, [{ id: 'checked', checks: {} }])
    t.same((await agent.health('checked', 'passing')).entries.length, 1)
  })

  t.test('the agent tells of one service of its own', async t => {
    await agent.register({ ID: 'self-1', Name: 'self', Port: 3, Meta: { k: 'v' } })
    const { json, hash, status } = await agent.service('self-1')
    t.equal(status, 200)
    t.match(json, { ID: 'self-1', Service: 'self', Port: 3, Address: '', Meta: { k: 'v' }, Weights: { Passing: 1 } })
    t.match(hash, /^[0-9a-f]+$/)
    await agent.register({ ID: 'self-2', Name: 'self', Port: 3, Meta: { k: 'v' } })
    t.not((await agent.service('self-2')).hash, hash)
  })

  t.test('the checks of one service are found by a filter', async t => {
    await agent.register({ ID: 'f 1', Name: 'f', Check: { CheckID: 'f:1', TTL: '1h' } })
    await agent.register({ ID: 'f 2', Name: 'f', Check: { CheckID: 'f:2', TTL: '1h' } })
    const filter = encodeURIComponent('ServiceID == "f 1"')
    const { json } = await agent.api<Record<string, unknown>>('GET', `/v1/agent/checks?filter=${filter}`)
    t.strictSame(Object.keys(json), ['f:1'])
    t.match(json, { 'f:1': { CheckID: 'f:1', ServiceID: 'f 1', Type: 'ttl', Status: 'critical', Output: '' } })
  })

  t.test('names and ids may be any text, percent-encoded', async t => {
    for (const text of ['a b/c', 'ü€', '100%', 'q?x#y&z=1', 'a+b']) {
      await agent.register({ ID: text, Name: `n ${text}`, Check: { CheckID: `c ${text}`, TTL: '1h' } })
      t.match((await agent.health(`n ${text}`)).entries, [{ id: text }], text)
      t.equal((await agent.service(text)).json.Service, `n ${text}`)
      t.equal((await agent.update(`c ${text}`, 'passing')).status, 200)
      t.match(await agent.check(`c ${text}`), { Status: 'passing' })
      t.equal((await agent.maintenance(text, 'enable=true')).status, 200)
      await agent.deregister(text)
      t.equal((await agent.service(text)).status, 404)
    }
  })

  t.test('the list of services has the tags of all instances', async t => {
    await agent.register({ ID: 'tagged-1', Name: 'tagged', Tags: ['x', 'y'] })
    await agent.register({ ID: 'tagged-2', Name: 'tagged', Tags: ['y', 'z'] })
    const { json } = await agent.api<Record<string, string[]>>('GET', '/v1/catalog/services')
    t.strictSame(json['tagged']?.sort(), ['x', 'y', 'z'])
    const found = await agent.api<{ ServiceID: string, ServiceName: string }[]>('GET', '/v1/catalog/service/tagged')
    t.strictSame(found.json.map(({ ServiceID }) => ServiceID).sort(), ['tagged-1', 'tagged-2'])
  })

  t.test('instances are selected by tags, all of them, in any case, and by passing', async t => {
    await agent.register({ ID: 'sel-1', Name: 'sel', Tags: ['x', 'y'], Check: { TTL: '1h', Status: 'passing' } })
    await agent.register({ ID: 'sel-2', Name: 'sel', Tags: ['x'], Check: { TTL: '1h', Status: 'warning' } })
    const ids = async (query: string): Promise<string> =>
      (await agent.health('sel', query)).entries.map(({ id }) => id).join()
    t.equal(await ids('tag=x'), 'sel-1,sel-2')
    t.equal(await ids('tag=X&tag=Y'), 'sel-1')
    t.equal(await ids('tag=z'), '')
    t.equal(await ids('passing'), 'sel-1')
    t.equal(await ids('passing=true&tag=x'), 'sel-1')
    t.equal(await ids('near=_agent&dc=dc1&stale'), 'sel-1,sel-2')
  })

  t.test('a leader is known and the agent tells of itself', async t => {
    const leader = await agent.api('GET', '/v1/status/leader')
    t.match(leader.json, /^.+:\d+$/)
    const { json } = await agent.api<object>('GET', '/v1/agent/self')
    t.match(json, { Config: { Datacenter: 'dc1', NodeName: /./, Version: /^\d+\.\d+\.\d+/ }, Member: { Addr: /./ } })
    await agent.register({ Name: 'on-node' })
    const [entry] = (await agent.api<WireHealthEntry[]>('GET', '/v1/health/service/on-node')).json
    t.match(json, { Config: { NodeName: entry?.Node.Node } })
  })

  t.test('without access control there are no rights to ask for', async t => {
    const { status } = await agent.api('POST', '/v1/internal/acl/authorize', [{ Resource: 'agent', Access: 'read' }])
    t.equal(status, 401)
  })
}

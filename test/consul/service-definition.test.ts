import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import type { ProxyDefinition } from '../../lib/consul/mesh-definition.ts'
import { wireDefinition, type CheckDefinition, type ServiceDefinition } from '../../lib/consul/service-definition.ts'
import { startConsul } from '../support/consul.ts'
import { until } from '../support/wait.ts'
import { clientOf } from './helpers.ts'

/** All that an ordinary service can say. */
const whole: Required<Omit<ServiceDefinition, 'kind' | 'proxy' | 'connect' | 'socketPath'>> = {
  name: 'web',
  id: 'web-1',
  address: '10.0.0.1',
  port: 8080,
  tags: ['a', 'b'],
  meta: { scheme: 'https' },
  weights: { passing: 5, warning: 2 },
  enableTagOverride: true,
  taggedAddresses: { lan: { address: '10.0.0.2', port: 81 }, constructor: { address: '10.0.0.3' } },
  check: { checkId: 'c1', ttl: '10s' },
  checks: [{ checkId: 'c2', ttl: 1500 }]
}

/** Every field of a check: a value, Consul's name for the field, and what goes over the wire. */
const fields: { [K in keyof Required<CheckDefinition>]: [given: CheckDefinition[K], name: string, sent: unknown] } = {
  checkId: ['c', 'CheckID', 'c'],
  name: ['n', 'Name', 'n'],
  notes: ['n', 'Notes', 'n'],
  status: ['warning', 'Status', 'warning'],
  http: ['http://a/', 'HTTP', 'http://a/'],
  method: ['POST', 'Method', 'POST'],
  header: [{ a: ['b'] }, 'Header', { a: ['b'] }],
  body: ['b', 'Body', 'b'],
  disableRedirects: [true, 'DisableRedirects', true],
  tcp: ['a:1', 'TCP', 'a:1'],
  tcpUseTls: [true, 'TCPUseTLS', true],
  udp: ['a:1', 'UDP', 'a:1'],
  grpc: ['a:1', 'GRPC', 'a:1'],
  grpcUseTls: [true, 'GRPCUseTLS', true],
  h2ping: ['a:1', 'H2PING', 'a:1'],
  h2pingUseTls: [false, 'H2PingUseTLS', false],
  tlsServerName: ['a', 'TLSServerName', 'a'],
  tlsSkipVerify: [true, 'TLSSkipVerify', true],
  ttl: ['10s', 'TTL', '10s'],
  aliasService: ['a', 'AliasService', 'a'],
  aliasNode: ['a', 'AliasNode', 'a'],
  args: [['a'], 'Args', ['a']],
  dockerContainerId: ['a', 'DockerContainerID', 'a'],
  shell: ['a', 'Shell', 'a'],
  osService: ['a', 'OSService', 'a'],
  outputMaxSize: [100, 'OutputMaxSize', 100],
  interval: [1500, 'Interval', '1500ms'],
  timeout: ['2s', 'Timeout', '2s'],
  successBeforePassing: [1, 'SuccessBeforePassing', 1],
  failuresBeforeWarning: [2, 'FailuresBeforeWarning', 2],
  failuresBeforeCritical: [3, 'FailuresBeforeCritical', 3],
  deregisterCriticalServiceAfter: [90_000, 'DeregisterCriticalServiceAfter', '90000ms']
}

t.test('every field of a check has Consul\'s name on the wire', async t => {
  for (const [field, [given, name, sent]] of Object.entries(fields)) {
    t.same(wireDefinition({ name: 'a', check: { [field]: given } }), { Name: 'a', Check: { [name]: sent } }, field)
  }
})

const proxy: Required<ProxyDefinition> = {
  destinationServiceName: 'web',
  destinationServiceId: 'web-1',
  localServiceAddress: '127.0.0.1',
  localServicePort: 8080,
  localServiceSocketPath: '/run/web.sock',
  mode: 'direct',
  config: { handshake_timeout_ms: 999 },
  upstreams: [{
    destinationName: 'db',
    destinationType: 'service',
    destinationNamespace: 'n',
    destinationPartition: 'p',
    destinationPeer: 'q',
    datacenter: 'dc1',
    localBindAddress: '127.0.0.1',
    localBindPort: 9191,
    localBindSocketPath: '/run/db.sock',
    config: { connect_timeout_ms: 1 }
  }]
}

t.test('a place in the service mesh has Consul\'s names on the wire', async t => {
  t.same(wireDefinition({ name: 'a', kind: 'connect-proxy', socketPath: '/run/a.sock', proxy }), {
    Name: 'a',
    Kind: 'connect-proxy',
    SocketPath: '/run/a.sock',
    Proxy: {
      DestinationServiceName: 'web',
      DestinationServiceID: 'web-1',
      LocalServiceAddress: '127.0.0.1',
      LocalServicePort: 8080,
      LocalServiceSocketPath: '/run/web.sock',
      Mode: 'direct',
      Config: { handshake_timeout_ms: 999 },
      Upstreams: [{
        DestinationName: 'db',
        DestinationType: 'service',
        DestinationNamespace: 'n',
        DestinationPartition: 'p',
        DestinationPeer: 'q',
        Datacenter: 'dc1',
        LocalBindAddress: '127.0.0.1',
        LocalBindPort: 9191,
        LocalBindSocketPath: '/run/db.sock',
        Config: { connect_timeout_ms: 1 }
      }]
    }
  })
  t.same(wireDefinition({ name: 'a', connect: { native: true } }), { Name: 'a', Connect: { Native: true } })
  t.same(wireDefinition({ name: 'a', connect: { sidecarService: { port: 1, check: { ttl: '1s' } } } }),
    { Name: 'a', Connect: { SidecarService: { Port: 1, Check: { TTL: '1s' } } } })
})

t.test('what is undefined is not sent', async t => {
  const check = { ttl: '1s', notes: undefined } as unknown as CheckDefinition
  t.same(wireDefinition({ name: 'a', check }), { Name: 'a', Check: { TTL: '1s' } })
})

t.test('a real agent', async t => {
  const consul = await startConsul(t, { config: { node_name: 'node-1', enable_script_checks: true } })
  const client = clientOf(t, { url: consul.url })

  t.test('it has every field of a service as it was given', async t => {
    t.equal(await client.registerService(whole), 'web-1')
    const { json } = await consul.api('GET', '/v1/agent/service/web-1')
    t.match(json, {
      ID: 'web-1',
      Service: 'web',
      Address: '10.0.0.1',
      Port: 8080,
      Tags: ['a', 'b'],
      Meta: { scheme: 'https' },
      Weights: { Passing: 5, Warning: 2 },
      EnableTagOverride: true,
      TaggedAddresses: { lan: { Address: '10.0.0.2', Port: 81 }, constructor: { Address: '10.0.0.3', Port: 0 } }
    })
    t.same(Object.keys(await client.agentChecks('web-1')).sort(), ['c1', 'c2'])
  })

  t.test('it takes a proxy, and makes the sidecar of a service', async t => {
    const { destinationServiceName, destinationServiceId, localServiceAddress, localServicePort, config } = proxy
    await client.registerService({
      name: 'web-proxy',
      kind: 'connect-proxy',
      port: 20_000,
      proxy: {
        destinationServiceName,
        destinationServiceId,
        localServiceAddress,
        localServicePort,
        config,
        upstreams: [{ destinationName: 'db', localBindPort: 9191 }]
      }
    })
    t.match((await client.agentService('web-proxy')).value, {
      Kind: 'connect-proxy',
      Proxy: {
        DestinationServiceID: 'web-1', Config: config, Upstreams: [{ DestinationName: 'db', LocalBindPort: 9191 }]
      }
    })
    await client.registerService({ name: 'meshed', port: 80, connect: { sidecarService: {} } })
    t.match((await client.agentService('meshed-sidecar-proxy')).value, { Proxy: { DestinationServiceName: 'meshed' } })
  })

  t.test('a service without an id has its name as id, and without a check none', async t => {
    t.equal(await client.registerService({ name: 'bare' }), 'bare')
    t.match((await client.agentService('bare')).value, { ID: 'bare', Port: 0, Weights: { Passing: 1, Warning: 1 } })
    t.same(await client.agentChecks('bare'), {})
  })

  const kinds: [kind: string, check: CheckDefinition][] = [
    ['http', { http: 'http://127.0.0.1:1/', interval: '10s', timeout: '1s', tlsSkipVerify: true }],
    ['tcp', { tcp: '127.0.0.1:1', interval: 10_000 }],
    ['grpc', { grpc: '127.0.0.1:1/web', grpcUseTls: true, interval: '10s' }],
    ['ttl', { ttl: '1m30s' }],
    ['alias', { aliasNode: 'node-1', aliasService: 'web-1' }],
    ['script', { args: ['/bin/true'], interval: '10s', outputMaxSize: 100 }],
    ['docker', { dockerContainerId: 'abc', shell: '/bin/sh', args: ['true'], interval: '10s' }]
  ]
  for (const [kind, check] of kinds) {
    t.test(`it takes a check of the kind ${kind}`, async t => {
      const name = `with-${kind}`
      await client.registerService({
        name,
        check: {
          checkId: `check-${kind}`,
          name: 'ready',
          notes: 'a note',
          status: 'warning',
          successBeforePassing: 2,
          failuresBeforeCritical: 3,
          deregisterCriticalServiceAfter: '90m',
          ...check
        }
      })
      t.match(await client.agentChecks(name), {
        [`check-${kind}`]: { Type: kind, Name: 'ready', Notes: 'a note', ServiceID: name }
      })
    })
  }

  t.test('its http check asks as the definition says', async t => {
    const asked: { request: IncomingMessage, body: string }[] = []
    const server = createServer(async (request, response) => {
      asked.push({ request, body: await text(request) })
      response.statusCode = 429
      response.end('a bit slow')
    })
    t.teardown(() => server.close())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await client.registerService({
      name: 'asked',
      check: {
        checkId: 'asked',
        http: `http://127.0.0.1:${port}/ready?a=b`,
        method: 'POST',
        header: { 'x-from': ['consul', 'again'] },
        body: 'hello',
        interval: '1s'
      }
    })
    await until(async () => (await client.agentChecks('asked')).asked?.Status === 'warning')
    const [{ request, body }] = asked as [typeof asked[0]]
    t.match(request, { method: 'POST', url: '/ready?a=b', headers: { 'x-from': 'consul, again' } })
    t.equal(body, 'hello')
    t.match((await client.agentChecks('asked')).asked, { Output: /a bit slow/ })
  })

  t.test('the checks of a service stay when it is registered again, unless they are to be replaced', async t => {
    await client.registerService({ name: 'twice', check: { checkId: 'old', ttl: '1m' } })
    await client.registerService({ name: 'twice', check: { checkId: 'new', ttl: '1m' } })
    t.same(Object.keys(await client.agentChecks('twice')).sort(), ['new', 'old'])
    await client.registerService({ name: 'twice', check: { checkId: 'newer', ttl: '1m' } },
      { replaceExistingChecks: true })
    t.same(Object.keys(await client.agentChecks('twice')), ['newer'])
  })

  t.test('what it does not take is said in its own words', async t => {
    await t.rejects(client.registerService({ name: 'any', address: '0.0.0.0' }), {
      code: 'FST_CONSUL_API_STATUS',
      message: 'Consul answered PUT /v1/agent/service/register with 400: Invalid service address'
    })
  })
})

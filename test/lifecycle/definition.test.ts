import { createServer } from 'node:http'
import { createSecureServer, createServer as createHttp2 } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import type { Server } from 'node:net'
import t from 'tap'
import { type AddressFacts, publishedAddress } from '../../lib/lifecycle/address.ts'
import { isLoopback } from '../../lib/loopback.ts'
import {
  checkTargetOf, checkTypeOf, definitionOf, type DefinitionParts, uncheckedDefinitionOf
} from '../../lib/lifecycle/definition.ts'
import { type Listener, listenerOf, listenerOnPort } from '../../lib/lifecycle/listener.ts'
import { resolveOptions } from '../../lib/options/resolve.ts'
import type { ConsulOptions } from '../../lib/options/types.ts'
import { certificateAuthority } from '../support/certificates.ts'
import { once } from '../support/wait.ts'

// lib/lifecycle/definition.ts

interface Given extends Pick<ConsulOptions, 'service' | 'check' | 'health'> {
  listener?: Partial<Listener>
  address?: string
  checkHost?: string
}

function partsOf ({ listener, address = '10.0.0.1', checkHost = address, ...options }: Given): DefinitionParts {
  const given = { ...options, service: { name: 'l02', ...options.service } }
  const { service, check } = resolveOptions(given, { environment: {} })
  if (!service) throw new Error('no service')
  return {
    id: 'l02-1',
    service,
    check,
    listener: { host: address, port: 8001, scheme: 'http', http1: true, ...listener },
    published: { address, checkHost, unreachable: false },
    readyPath: '/health/ready'
  }
}

const plain = {
  id: 'l02-1',
  name: 'l02',
  address: '10.0.0.1',
  port: 8001,
  tags: [],
  meta: {},
  enableTagOverride: false,
  taggedAddresses: {}
}
const probing = { deregisterCriticalServiceAfter: 60_000, interval: 10_000, timeout: 5000 }
const naming = { checkId: 'c', name: 'Readiness of l02', status: 'passing' }
const header = { 'x-fastify-consul': ['check'] }

const tls = await (await certificateAuthority()).issue('localhost')

t.test('by default an http check on the ready route, and no weights: Consul\'s own are left to it', async t => {
  const definition = definitionOf(partsOf({}), 'c', 'passing')
  t.same(definition, {
    ...plain,
    check: { http: 'http://10.0.0.1:8001/health/ready', header, tlsSkipVerify: false, ...probing, ...naming }
  })
  t.notOk('weights' in definition)
})

t.test('everything that is set is in the definition', async t => {
  const service = {
    tags: ['v1'],
    meta: { team: 'a' },
    weights: { passing: 10, warning: 2 },
    enableTagOverride: true,
    taggedAddresses: { wan: { address: '198.51.100.1', port: 80 }, lan: { address: '10.0.0.1' } }
  }
  t.same(uncheckedDefinitionOf(partsOf({ service })), { ...plain, ...service })
})

const checks: Record<string, [given: Given, check: object, target: string]> = {
  'http with everything': [
    {
      check: {
        type: 'http',
        path: '/mine?full',
        interval: '3s',
        timeout: '1s',
        deregisterAfter: '2m',
        headers: { authorization: 'Basic eDp5', accept: ['a', 'b'] },
        tlsSkipVerify: true,
        successBeforePassing: 2,
        failuresBeforeCritical: 3
      }
    },
    {
      http: 'http://10.0.0.1:8001/mine?full',
      header: { authorization: ['Basic eDp5'], accept: ['a', 'b'], ...header },
      tlsSkipVerify: true,
      deregisterCriticalServiceAfter: 120_000,
      interval: 3000,
      timeout: 1000,
      successBeforePassing: 2,
      failuresBeforeCritical: 3
    },
    'http://10.0.0.1:8001/mine?full'
  ],
  'https over IPv6': [
    { listener: { scheme: 'https' }, address: 'fd00::1' },
    { http: 'https://[fd00::1]:8001/health/ready', header, tlsSkipVerify: false, ...probing },
    'https://[fd00::1]:8001/health/ready'
  ],
  'http to a server that speaks HTTP/2 alone': [
    { listener: { http1: false } }, { tcp: '10.0.0.1:8001', ...probing }, '10.0.0.1:8001'
  ],
  tcp: [
    { check: { type: 'tcp' }, address: '', checkHost: '127.0.0.1' },
    { tcp: '127.0.0.1:8001', ...probing },
    '127.0.0.1:8001'
  ],
  grpc: [
    { check: { type: 'grpc' }, listener: { scheme: 'https' } },
    { grpc: '10.0.0.1:8001', grpcUseTls: true, tlsSkipVerify: false, ...probing },
    '10.0.0.1:8001'
  ],
  'ttl of three intervals': [
    { check: { type: 'ttl', interval: '4s' } },
    { ttl: 12_000, deregisterCriticalServiceAfter: 60_000 },
    'TTL of 12000 ms'
  ]
}

for (const [name, [given, expected, target]] of Object.entries(checks)) {
  t.test(`check: ${name}`, async t => {
    const parts = partsOf(given)
    t.same(definitionOf(parts, 'c', 'critical').check, { ...expected, ...naming, status: 'critical' })
    t.equal(checkTargetOf(parts), target)
    t.ok(checkTypeOf(parts) in expected)
  })
}

t.test('an https service says so in its meta, unless it says otherwise itself', async t => {
  const listener = { scheme: 'https' } as const
  t.same(uncheckedDefinitionOf(partsOf({ listener })).meta, { scheme: 'https' })
  t.same(uncheckedDefinitionOf(partsOf({ listener, service: { meta: { scheme: 'h2' } } })).meta, { scheme: 'h2' })
})

// lib/lifecycle/address.ts

type Expected = [address: string, checkHost: string, unreachable?: true]
const facts = (configured: string | undefined, bound: string | undefined, towardsAgent: string | undefined) =>
  ({ configured, bound, towardsAgent })

const table: Record<string, [facts: AddressFacts, expected: Expected]> = {
  'the option goes before all else': [facts('10.9.9.9', '10.0.0.1', '10.0.0.2'), ['10.9.9.9', '10.9.9.9']],
  'a host name is an option too': [facts('l02.example', '0.0.0.0', '127.0.0.1'), ['l02.example', 'l02.example']],
  'the bound address if it is a real one': [facts(undefined, '10.0.0.1', '10.0.0.2'), ['10.0.0.1', '10.0.0.1']],
  'bound to IPv6': [facts(undefined, 'fd00::1', 'fd00::2'), ['fd00::1', 'fd00::1']],
  '0.0.0.0 is never published: this end of the connection to the agent': [
    facts(undefined, '0.0.0.0', '10.0.0.2'), ['10.0.0.2', '10.0.0.2']],
  'nor is ::': [facts(undefined, '::', 'fd00::2'), ['fd00::2', 'fd00::2']],
  'a dual-stack socket shows IPv4 in disguise': [
    facts(undefined, '::', '::ffff:10.0.0.2'), ['10.0.0.2', '10.0.0.2']],
  'the agent on this machine: its own address, and the check over loopback': [
    facts(undefined, '0.0.0.0', '127.0.0.1'), ['', '127.0.0.1']],
  'the same over IPv6': [facts(undefined, '::', '::1'), ['', '::1']],
  'an IPv4 server is not checked over IPv6': [facts(undefined, '0.0.0.0', '::1'), ['', '127.0.0.1']],
  'nor found there': [facts(undefined, '0.0.0.0', 'fd00::2'), ['fd00::2', 'fd00::2', true]],
  'a unix socket to the agent is loopback': [facts(undefined, '0.0.0.0', undefined), ['', '127.0.0.1']],
  'nothing bound: this end of the connection to the agent': [
    facts(undefined, undefined, '10.0.0.2'), ['10.0.0.2', '10.0.0.2']],
  'bound to loopback beside the agent': [facts(undefined, '127.0.0.1', '127.0.0.1'), ['127.0.0.1', '127.0.0.1']],
  'bound to ::1 beside the agent': [facts(undefined, '::1', '127.0.0.1'), ['::1', '::1']],
  'bound to loopback with the agent elsewhere': [
    facts(undefined, '127.0.0.1', '10.0.0.2'), ['127.0.0.1', '127.0.0.1', true]],
  'an option of loopback with the agent elsewhere': [
    facts('localhost', '0.0.0.0', 'fd00::2'), ['localhost', 'localhost', true]]
}

for (const [name, [given, [address, checkHost, unreachable = false]]] of Object.entries(table)) {
  t.test(name, async t => { t.same(publishedAddress(given), { address, checkHost, unreachable }) })
}

t.test('loopback is 127.0.0.0/8, ::1 and localhost', async t => {
  for (const address of ['127.0.0.1', '127.255.0.9', '::1', 'localhost']) t.ok(isLoopback(address), address)
  for (const address of ['128.0.0.1', '::2', 'localhost.example', '']) t.notOk(isLoopback(address), address)
})

// lib/lifecycle/listener.ts

const servers: Record<string, [server: Server, scheme: 'http' | 'https', http1: boolean]> = {
  http: [createServer(), 'http', true],
  https: [createHttps(tls), 'https', true],
  h2c: [createHttp2(), 'http', false],
  'HTTP/2 over TLS': [createSecureServer(tls), 'https', false],
  'HTTP/2 over TLS that allows HTTP/1': [createSecureServer({ ...tls, allowHTTP1: true }), 'https', true]
}

for (const [kind, [server, scheme, http1]] of Object.entries(servers)) {
  t.test(kind, async t => {
    t.equal(listenerOf(server), undefined, 'not before it listens')
    server.listen(0, '127.0.0.1')
    t.teardown(() => server.close())
    await once(server, 'listening')
    t.match(listenerOf(server), { host: '127.0.0.1', port: Number, scheme, http1 })
  })
}

t.test('a port without a server', async t => {
  t.same(listenerOnPort(8080), { host: undefined, port: 8080, scheme: 'http', http1: true })
})

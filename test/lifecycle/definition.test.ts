import t from 'tap'
import { checkTargetOf, checkTypeOf, definitionOf, uncheckedDefinitionOf } from '../../lib/lifecycle/definition.ts'
import type { DefinitionParts } from '../../lib/lifecycle/definition.ts'
import type { Listener } from '../../lib/lifecycle/listener.ts'
import type { ConsulOptions } from '../../lib/options/types.ts'
import { resolveOptions } from '../../lib/options/resolve.ts'

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

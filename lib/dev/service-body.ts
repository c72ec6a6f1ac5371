import { isIPv4, isIPv6 } from 'node:net'
import { checkFrom } from './check-body.ts'
import { Fields, textIn } from './fields.ts'
import type { CheckDefinition, Service } from './records.ts'
import { badRequest } from './refusal.ts'

const known = [
  'ID', 'Name', 'Tags', 'Meta', 'Address', 'Port', 'Weights', 'EnableTagOverride', 'TaggedAddresses', 'Check', 'Checks'
]
const unsupported = [
  'Kind', 'Proxy', 'Connect', 'Token', 'Namespace', 'Partition', 'Locality', 'SocketPath', 'Ports'
]

/** The body of `PUT /v1/agent/service/register`. */
export function registrationFrom (body: unknown): { service: Service, checks: CheckDefinition[] } {
  const fields = new Fields(body ?? {}, known, unsupported)
  const service = serviceFrom(fields)
  const check = fields.get('Check')
  const bodies = [...(check === undefined ? [] : [check]), ...fields.list('Checks')].filter(isSomething)
  const checks = bodies.map((content, index) => {
    const position = bodies.length > 1 ? `:${index + 1}` : ''
    return checkFrom(content, `service:${service.id}${position}`, `Service '${service.name}' check`)
  })
  return { service, checks }
}

function serviceFrom (fields: Fields): Service {
  const name = fields.text('Name')
  if (name === '') throw badRequest('Missing service name')
  const address = fields.text('Address')
  if (address === '0.0.0.0' || address === '::' || address === '[::]') throw badRequest('Invalid service address')
  const port = fields.integer('Port')
  return {
    id: fields.text('ID') === '' ? name : fields.text('ID'),
    name,
    tags: fields.texts('Tags'),
    meta: metaFrom(fields),
    address,
    port,
    weights: weightsFrom(fields.get('Weights')),
    enableTagOverride: fields.flag('EnableTagOverride'),
    taggedAddresses: { ...impliedAddresses(address, port), ...taggedAddressesFrom(fields) }
  }
}

/** An empty one counts as none. */
function isSomething (check: unknown): boolean {
  return typeof check !== 'object' || check === null || Object.keys(check).length > 0
}

/** Limits: https://developer.hashicorp.com/consul/docs/reference/service#meta */
function metaFrom (fields: Fields): Record<string, string> {
  const pairs = fields.entries('Meta').map(([key, value]) => [key, textIn('Meta', value)] as const)
  if (pairs.length > 64) throw badRequest('Invalid Service Meta: it cannot contain more than 64 key/value pairs')
  for (const [key, value] of pairs) {
    const wrong = whatIsWrongWith(key, value)
    if (wrong !== undefined) {
      throw badRequest(`Invalid Service Meta: Couldn't load metadata pair ('${key}', '${value}'): ${wrong}`)
    }
  }
  return Object.fromEntries(pairs)
}

function whatIsWrongWith (key: string, value: string): string | undefined {
  if (key === '') return 'Key cannot be blank'
  if (!/^[\w-]+$/.test(key)) return 'Key contains invalid characters'
  if (key.length > 128) return 'Key is too long (limit: 128 characters)'
  if (key.startsWith('consul-')) return "Key prefix 'consul-' is reserved for internal use"
  return value.length > 512 ? 'Value is too long (limit: 512 characters)' : undefined
}

function weightsFrom (value: unknown): Service['weights'] {
  if (value === undefined) return { Passing: 1, Warning: 1 }
  const fields = new Fields(value, ['Passing', 'Warning'])
  const weights = { Passing: fields.integer('Passing'), Warning: fields.integer('Warning') }
  if (weights.Passing < 1) throw badRequest('Invalid Weights: Passing must be greater than 0')
  if (weights.Warning < 0) throw badRequest('Invalid Weights: Warning must be greater or equal than 0')
  if (Math.max(weights.Passing, weights.Warning) > 65_535) {
    throw badRequest('Invalid Weights: DNS Weight must be between 0 and 65535')
  }
  return weights
}

function taggedAddressesFrom (fields: Fields): Service['taggedAddresses'] {
  return Object.fromEntries(fields.entries('TaggedAddresses').map(([name, value]) => {
    const entry = new Fields(value, ['Address', 'Port'])
    return [name, { Address: entry.text('Address'), Port: entry.integer('Port') }]
  }))
}

/** The address that Consul repeats under names of its own. */
function impliedAddresses (address: string, port: number): Service['taggedAddresses'] {
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined
  if (family === undefined) return {}
  const entry = { Address: address, Port: port }
  return { [`lan_${family}`]: entry, [`wan_${family}`]: entry }
}

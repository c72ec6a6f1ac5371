import type { CheckStatus } from '../consul/wire.ts'
import { Fields, textIn } from './fields.ts'
import type { CheckDefinition, Probe } from './records.ts'
import { badRequest } from './refusal.ts'

const known = [
  'CheckID', 'ID', 'Name', 'Notes', 'Status', 'HTTP', 'Method', 'Header', 'Body', 'TCP', 'TTL', 'Interval', 'Timeout',
  'TLSSkipVerify', 'SuccessBeforePassing', 'FailuresBeforeCritical', 'DeregisterCriticalServiceAfter'
]
const unsupported = [
  'GRPC', 'GRPCUseTLS', 'UDP', 'H2PING', 'H2PingUseTLS', 'TCPUseTLS', 'TLSServerName', 'AliasNode', 'AliasService',
  'Args', 'ScriptArgs', 'DockerContainerID', 'Shell', 'OSService', 'OutputMaxSize', 'DisableRedirects',
  'FailuresBeforeWarning', 'ProxyHTTP', 'ProxyGRPC', 'Namespace', 'Partition'
]

/** https://developer.hashicorp.com/consul/docs/reference/service/health-check */
const leastInterval = 1000
const defaultTimeout = 10_000
const leastDeregisterAfter = 60_000

export function checkFrom (body: unknown, defaultId: string, defaultName: string): CheckDefinition {
  const fields = new Fields(body, known, unsupported)
  const deregisterAfter = fields.duration('DeregisterCriticalServiceAfter')
  const given = [fields.text('CheckID'), fields.text('ID')].find(id => id !== '')
  const name = fields.text('Name')
  return {
    id: given ?? defaultId,
    name: name === '' ? defaultName : name,
    notes: fields.text('Notes'),
    status: statusFrom(fields.text('Status')),
    probe: probeFrom(fields),
    successBeforePassing: fields.integer('SuccessBeforePassing'),
    failuresBeforeCritical: fields.integer('FailuresBeforeCritical'),
    deregisterAfter: deregisterAfter > 0 ? Math.max(deregisterAfter, leastDeregisterAfter) : 0
  }
}

function statusFrom (status: string): CheckStatus {
  if (status === '') return 'critical'
  if (isStatus(status)) return status
  throw badRequest("Status for checks must 'passing', 'warning', 'critical'")
}

export const isStatus = (status: string): status is CheckStatus =>
  status === 'passing' || status === 'warning' || status === 'critical'

function probeFrom (fields: Fields): Probe {
  const { http, tcp, ttl, interval } = {
    http: fields.text('HTTP'),
    tcp: fields.text('TCP'),
    ttl: fields.duration('TTL'),
    interval: fields.duration('Interval')
  }
  const runs = http !== '' || tcp !== ''
  if (interval > 0 && ttl > 0) throw badRequest('Invalid check: Interval and TTL cannot both be specified')
  if (runs && interval <= 0) throw badRequest('Invalid check: Interval must be > 0 for Script, HTTP, or TCP checks')
  if (!runs && ttl <= 0) throw badRequest('Invalid check: TTL must be > 0 for TTL checks')
  if (!runs) return { type: 'ttl', ttl }
  const timeout = fields.duration('Timeout')
  const pace = { interval: Math.max(interval, leastInterval), timeout: timeout > 0 ? timeout : defaultTimeout }
  if (http === '') return { type: 'tcp', target: tcp, ...pace }
  return {
    type: 'http',
    target: urlFrom(http),
    method: fields.text('Method') === '' ? 'GET' : fields.text('Method'),
    headers: Object.fromEntries(fields.entries('Header').map(([name, values]) => [name, textsIn(values)])),
    body: fields.text('Body'),
    tlsSkipVerify: fields.flag('TLSSkipVerify'),
    ...pace
  }
}

/** Consul takes any text and finds at the first run that it is none. */
function urlFrom (http: string): string {
  if (!URL.canParse(http)) throw badRequest(`Invalid check: HTTP is no URL: ${http}`)
  return http
}

function textsIn (values: unknown): readonly string[] {
  if (!Array.isArray(values)) throw badRequest('Request decode failed: a header of a check must be a list')
  return values.map(value => textIn('Header', value))
}

import type { CheckDefinition } from './records.ts'
import { badRequest, unknownService } from './refusal.ts'
import type { Reply } from './route.ts'
import type { Services } from './services.ts'

const noReason =
  'Maintenance mode is enabled for this service, but no reason was provided. This is a default message.'

/** What Go takes for a boolean: https://pkg.go.dev/strconv#ParseBool */
const booleans = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map(text => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map(text => [text, false] as const)
])

/** Maintenance is a check of its own, which is critical until it is removed. */
export function maintain (services: Services, serviceId: string, query: URLSearchParams): Reply {
  const enable = query.get('enable') ?? ''
  if (enable === '') throw badRequest('Missing value for enable')
  const on = booleans.get(enable)
  if (on === undefined) throw badRequest(`Invalid value for enable: ${JSON.stringify(enable)}`)
  if (services.get(serviceId) === undefined) throw unknownService(serviceId)
  const id = `_service_maintenance:${serviceId}`
  if (on) services.addCheck(checkOf(id, query.get('reason') ?? ''), serviceId)
  else services.deregisterCheck(id)
  return {}
}

function checkOf (id: string, reason: string): CheckDefinition {
  return {
    id,
    name: 'Service Maintenance Mode',
    notes: reason === '' ? noReason : reason,
    status: 'critical',
    probe: undefined,
    successBeforePassing: 0,
    failuresBeforeCritical: 0,
    deregisterAfter: 0
  }
}

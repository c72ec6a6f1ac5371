/** What is asked of Consul, without names and ids; where one begins like another the longer one stands first. */
export const endpoints = [
  'agent/check/deregister', 'agent/check/update', 'agent/checks', 'agent/self', 'agent/service/deregister',
  'agent/service/maintenance', 'agent/service/register', 'agent/service', 'catalog/services', 'health/service',
  'internal/acl/authorize', 'status/leader'
] as const

const outcomesByCode: ReadonlyMap<unknown, string> = new Map([
  ['FST_CONSUL_API_UNREACHABLE', 'unreachable'],
  ['FST_CONSUL_API_TIMEOUT', 'timeout'],
  ['FST_CONSUL_API_ANSWER', 'invalid'],
  ['FST_CONSUL_API_FORBIDDEN', 'forbidden'],
  ['FST_CONSUL_API_NOT_FOUND', 'not_found'],
  ['FST_CONSUL_API_RATE_LIMITED', 'rate_limited'],
  ['FST_CONSUL_API_STATUS', 'error'],
  ['FST_CONSUL_TOKEN', 'no_token']
])

/** How requests to Consul may end. */
export const apiOutcomes: readonly string[] = ['ok', ...outcomesByCode.values()]

/** Of a path below `/v1`. */
export function endpointOf (path: string): string {
  return endpoints.find(endpoint => path === `/${endpoint}` || path.startsWith(`/${endpoint}/`)) ?? 'other'
}

/** `undefined`: the request was ended from here, which says nothing of Consul. */
export function apiOutcomeOf (error: unknown): string | undefined {
  if (error === undefined) return 'ok'
  return error instanceof Error && 'code' in error ? outcomesByCode.get(error.code) : undefined
}

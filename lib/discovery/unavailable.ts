import { isConnectionError, isRefusal } from '../consul/connectivity.ts'
import { UnavailableError } from '../errors.ts'
import type { ServiceView } from './view.ts'

/** Why nothing can be said of a service, and what to do. */
export function unavailable ({ key: { name }, snapshot, error }: ServiceView): Error {
  const what = snapshot === undefined
    ? `Consul has not said where ${name} is`
    : `What Consul said of ${name} is older than discovery.maxStale`
  const why = error instanceof Error ? error.message : 'its agent cannot be reached'
  return new UnavailableError(`${what}: ${why}`, adviceOn(error, name), { cause: error })
}

function adviceOn (error: unknown, name: string): string {
  if (isRefusal(error)) return `Check the token and its rights (service:read, node:read), or list ${name} in fallback`
  if (error === undefined || isConnectionError(error)) {
    return `Check that the agent runs and the url option (CONSUL_URL), or list ${name} in fallback`
  }
  return `Check the agent and its servers, or list ${name} in fallback`
}

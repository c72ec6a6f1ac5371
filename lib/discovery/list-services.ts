import type { ConsulClient } from '../consul/client.ts'
import { ClosedError, UnavailableError } from '../errors.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import type { StaticSource } from './static.ts'

interface Sources {
  readonly options: Pick<ResolvedOptions, 'mode' | 'discovery'>
  readonly client: Pick<ConsulClient, 'listServices'>
  readonly fallback: StaticSource
}

/**
 * All services by name with their tags: Consul's, or the fallback's where the mode says so.
 *
 * @throws FST_CONSUL_UNAVAILABLE if Consul does not answer and there is no fallback
 * @throws FST_CONSUL_CLOSED after the client was closed
 */
export async function listServices ({ options, client, fallback }: Sources): Promise<Record<string, string[]>> {
  const { mode, discovery: { consistency } } = options
  if (mode === 'static' || mode === 'register') return fallback.list()
  try {
    return await client.listServices({ consistency })
  } catch (cause) {
    if (cause instanceof ClosedError) throw cause
    if (mode === 'hybrid' && fallback.size > 0) return fallback.list()
    throw new UnavailableError('Consul does not list its services', (cause as Error).message, { cause })
  }
}

import { systemClock, type Clock } from '../../lib/clock.ts'
import { ConsulClient, type ClientOptions } from '../../lib/consul/client.ts'
import { Connectivity } from '../../lib/consul/connectivity.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { Catalog, type CatalogOptions, type CatalogParts } from '../../lib/discovery/catalog.ts'
import { resolveOptions } from '../../lib/options/resolve.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import type { ConsulAgent } from '../support/consul.ts'
import type { Teardown } from '../support/teardown.ts'

interface Options extends Partial<CatalogOptions> {
  /** The connection to Consul. */
  connection?: ClientOptions
  clock?: Clock
  onWaited?: CatalogParts['onWaited']
}

/** A catalog as the registry makes it, with the default options. It ends with the test. */
export function startCatalog (
  t: Teardown, url: string, { connection, onWaited, clock = systemClock, ...options }: Options = {}
) {
  const { discovery, ...resolved } = resolveOptions({ url, ...connection }, { environment: {} })
  const { logger, lines } = collectingLogger()
  const client = new ConsulClient({}, { resolved, blocking: { limit: 70, keepAlive: false } })
  const random = () => 0.5 // Chance decides only how long to wait after a failure.
  const connectivity = new Connectivity({
    probe: signal => client.ping({ signal, timeout: 1000 }), logger, clock, random
  })
  const { timeout } = resolved
  const catalog = new Catalog({ ...discovery, timeout, ...options }, {
    client, connectivity, logger, clock, random, onWaited
  })
  const close = async (): Promise<void> => {
    catalog.close()
    connectivity.close()
    await client.close()
  }
  t.teardown(close)
  return {
    catalog,
    connectivity,
    close,
    /** Everything that was logged, as `level message`. */
    log: () => lines.map(({ level, message }) => `${level} ${message}`),
    lines,
    ids: async (...query: Parameters<Catalog['discover']>) => idsOf(await catalog.discover(...query))
  }
}

export function idsOf (instances: readonly ServiceInstance[] | undefined): string[] {
  return (instances ?? []).map(({ id }) => id).toSorted()
}

/** Registers a service with a TTL check of its own, `service:<id>`, whose status then is the test's to set. */
export async function register (
  consul: ConsulAgent, definition: { Name: string, ID?: string } & Record<string, unknown>, status = 'passing'
): Promise<void> {
  await consul.api('PUT', '/v1/agent/service/register', { Check: { TTL: '10m', Status: status }, ...definition })
}

export async function setStatus (consul: ConsulAgent, id: string, status: string): Promise<void> {
  await consul.api('PUT', `/v1/agent/check/update/service:${id}`, { Status: status })
}

export async function deregister (consul: ConsulAgent, id: string): Promise<void> {
  await consul.api('PUT', `/v1/agent/service/deregister/${id}`)
}

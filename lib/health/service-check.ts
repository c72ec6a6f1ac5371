import { encodeName } from '../consul/service-name.ts'
import type { ServiceName } from '../declared-services.ts'
import { InvalidOptionError } from '../errors.ts'
import type { CheckResult, CheckSettings, HealthCheck } from './check.ts'
import { kindOf } from './method-of.ts'
import { unhealthy } from './result.ts'

/** A Fastify app with the plugin, or a registry. */
export interface Discoverer {
  discover (name: ServiceName): Promise<readonly unknown[]>
}

/**
 * A check that at least one instance of a service can be discovered. Default: named like the service, and not
 * critical: two services that are critical to each other would never start.
 *
 * @throws FST_CONSUL_INVALID_OPTION if `registry` is no object
 * @throws FST_CONSUL_INVALID_NAME if `service` is no name that can be asked for
 */
export function serviceCheck (
  registry: Discoverer,
  service: ServiceName,
  { name = service, critical = false, timeout }: CheckSettings = {}
): HealthCheck {
  if ((typeof registry !== 'object' && typeof registry !== 'function') || registry === null) {
    throw new InvalidOptionError('The registry of a health check', 'an object with discover()', kindOf(registry))
  }
  encodeName(service) // Refuses what could never be found.
  return {
    name,
    critical,
    timeout,
    async run (): Promise<CheckResult | undefined> {
      const instances = await registry.discover(service)
      return instances.length > 0 ? undefined : unhealthy(`no instance of ${service} can be called`)
    }
  }
}

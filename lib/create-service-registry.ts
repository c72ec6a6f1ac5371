import { pino } from 'pino'
import type { ConsulOptions } from './options/types.ts'
import { resolveOptions } from './options/resolve.ts'
import { ServiceRegistry } from './registry.ts'

/**
 * The whole life of a service in Consul without Fastify. Its default check is `ttl`: the registry reports the result
 * of its own health checks. Nothing is registered before `register()`.
 *
 * @param name the service's
 * @param port the one that it listens on; 0 if none
 * @throws FST_CONSUL_INVALID_OPTION
 */
export function createServiceRegistry (name: string, port: number, options: ConsulOptions = {}): ServiceRegistry {
  const resolved = resolveOptions(options, { registry: { name, port } })
  return new ServiceRegistry(resolved, { logger: resolved.logger ?? pino({ name: 'fastify-consul' }) })
}

import { createServiceRegistry, type ServiceRegistry } from '../../lib/index.ts'
import type { ConsulOptions } from '../../lib/options/types.ts'
import { collectingLogger, type Line } from '../health/collecting-logger.ts'
import type { Teardown } from '../support/teardown.ts'

/** A registry that ends with the test. */
export function testRegistry (
  t: Teardown, name: string, port: number, options: ConsulOptions
): { registry: ServiceRegistry, lines: Line[] } {
  const { logger, lines } = collectingLogger()
  const registry = createServiceRegistry(name, port, { logger, ...options })
  t.teardown(() => registry.close())
  return { registry, lines }
}

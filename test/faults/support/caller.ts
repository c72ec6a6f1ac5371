import { createServiceRegistry } from '../../../lib/create-service-registry.ts'
import type { ConsulOptions } from '../../../lib/options/types.ts'
import type { ServiceRegistry } from '../../../lib/registry.ts'
import type { Teardown } from '../../support/teardown.ts'
import { LogLines } from './log-lines.ts'

/** A registry in this process that calls others and is registered nowhere. */
export function startCaller (
  t: Teardown, url: string, options: ConsulOptions = {}, logger = new LogLines()
): ServiceRegistry {
  const registry = createServiceRegistry('caller', 0, { url, logger, ...options })
  t.teardown(() => registry.close())
  return registry
}

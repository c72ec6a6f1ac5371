import Fastify, { type FastifyInstance } from 'fastify'
import type { HealthCheck } from '../../lib/health/check.ts'
import { HealthCheckManager } from '../../lib/health/manager.ts'
import { addHealthRoutes, type HealthRoutesOptions, type MountedPaths } from '../../lib/health/routes.ts'
import type { Teardown } from '../support/teardown.ts'

export interface HealthAppOptions extends Partial<HealthRoutesOptions> {
  app?: FastifyInstance
  checks?: readonly HealthCheck[]
}

export interface HealthApp {
  app: FastifyInstance
  manager: HealthCheckManager
  paths: MountedPaths
}

/** An app with the health routes, not ready yet, that ends with the test. Reports are not shared between requests. */
export async function healthApp (t: Teardown, options: HealthAppOptions = {}): Promise<HealthApp> {
  const { app = Fastify(), checks = [], ...rest } = options
  t.teardown(() => app.close())
  const manager = rest.manager ?? new HealthCheckManager({ cacheFor: 0 })
  for (const check of checks) manager.add(check)
  const paths = await addHealthRoutes(app, {
    manager,
    readyPath: '/health/ready',
    livePath: '/health/live',
    details: 'status',
    underPressure: false,
    isDraining: () => false,
    ...rest
  })
  return { app, manager, paths }
}

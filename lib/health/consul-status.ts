import type { CheckStatus } from '../consul/wire.ts'
import type { HealthStatus } from './check.ts'
import type { HealthCheckManager } from './manager.ts'

const consulStatus: Readonly<Record<HealthStatus, CheckStatus>> = {
  healthy: 'passing', degraded: 'warning', unhealthy: 'critical'
}

/** The report in Consul's words; the output changes only when a check's status does, and holds no messages. */
export async function consulStatusOf (
  health: HealthCheckManager
): Promise<{ status: CheckStatus, output: string }> {
  const { status, checks } = await health.check()
  const failing = Object.entries(checks).filter(([, result]) => result.status !== 'healthy').map(([name]) => name)
  return { status: consulStatus[status], output: failing.length === 0 ? status : `${status}: ${failing.join(', ')}` }
}

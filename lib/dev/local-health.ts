import { agentCheckOf, agentServiceOf, type Node } from './answers.ts'
import type { Check, Service } from './records.ts'
import type { Reply } from './route.ts'
import type { Services } from './services.ts'

type Aggregated = 'passing' | 'warning' | 'critical' | 'maintenance'

/** From the best to the worst. */
const severity: readonly Aggregated[] = ['passing', 'warning', 'critical', 'maintenance']
const statusCodes: Readonly<Record<Aggregated, number>> = {
  passing: 200, warning: 429, critical: 503, maintenance: 503
}

/** `/v1/agent/health/service/name/:name`: for people who look why an instance of this agent is out. */
export function localHealth (services: Services, name: string, node: Node): Reply {
  const entries = services.named(name).filter(isSpelt(name)).map(service => {
    const checks = services.checks.of(service.id)
    return {
      AggregatedStatus: worstOf(checks.map(aggregatedOf)),
      Service: agentServiceOf(service),
      Checks: checks.map(check => agentCheckOf(check, services, node))
    }
  })
  if (entries.length === 0) {
    return { status: 404, headers: { 'x-consul-reason': `ServiceName ${name} Not Found` }, body: [] }
  }
  const worst = worstOf(entries.map(entry => entry.AggregatedStatus))
  return { status: statusCodes[worst], headers: { 'x-consul-reason': worst }, body: entries }
}

/** Unlike the catalog an agent compares names as they are. */
const isSpelt = (name: string) => (service: Service): boolean => service.name === name

const aggregatedOf = ({ definition: { id }, status }: Check): Aggregated =>
  id.startsWith('_service_maintenance:') ? 'maintenance' : status

function worstOf (all: readonly Aggregated[]): Aggregated {
  return severity[Math.max(0, ...all.map(one => severity.indexOf(one)))]!
}

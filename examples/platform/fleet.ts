import { freePorts } from '../../test/support/ports.ts'
import type { Teardown } from '../../test/support/teardown.ts'
import type { Agent } from '../shared/agent.ts'
import type { Counts } from './counts.ts'
import { Crew } from './crew.ts'
import type { Layer } from './layers.ts'
import type { Settings } from './settings.ts'

export interface FleetOptions extends Pick<Settings, 'platform' | 'mode'> {
  /** None: nothing is registered. */
  agent: Agent | undefined
  /** Variables of the data layer. */
  stores: Record<string, string>
  onCounts: (pid: number, counts: Counts) => void
}

/** All layers with their processes. */
export interface Fleet {
  crews: readonly Crew[]
  /** The fixed address of each layer. In mode `full` there are none: every process takes any port. */
  addresses: Readonly<Record<string, string>>
}

/** Nothing runs yet. */
export async function createFleet (
  t: Teardown, { platform, mode, agent, stores, onCounts }: FleetOptions
): Promise<Fleet> {
  const ports = mode === 'full' ? platform.map(() => 0) : await freePorts(platform.length)
  const addresses = mode === 'full' ? {} : addressesOf(platform, ports)
  const env = {
    ...agent?.env,
    CONSUL_MODE: mode,
    CONSUL_FALLBACK: Object.entries(addresses).map(([name, address]) => `${name}=${address}`).join(','),
    CONSUL_CHECK_INTERVAL: '1s'
  }
  const crews = platform.map((layer, index) =>
    new Crew(t, { layer, agent, env: index === 0 ? { ...env, ...stores } : env, port: ports[index]!, onCounts }))
  t.teardown(() => Promise.all(crews.map(crew => crew.end())))
  return { crews, addresses }
}

function addressesOf (platform: readonly Layer[], ports: readonly number[]): Record<string, string> {
  return Object.fromEntries(platform.map(({ name }, index) => [name, `http://127.0.0.1:${ports[index]}`]))
}

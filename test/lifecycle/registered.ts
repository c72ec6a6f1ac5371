import type { WireHealthEntry, WireService } from '../../lib/consul/wire.ts'
import { definitionOf } from '../../lib/lifecycle/definition.ts'
import type { Registered } from '../../lib/lifecycle/registrar.ts'
import type { ConsulOptions } from '../../lib/options/types.ts'
import { resolveOptions } from '../../lib/options/resolve.ts'

interface Given extends Pick<ConsulOptions, 'check'> {
  checkId?: string
  service?: Exclude<ConsulOptions['service'], false>
}

/** What a write of the service `l02` at 10.0.0.1:80 leaves behind. */
export function registeredOf ({ checkId = 'service:l02:a', service: given, check: asked }: Given = {}): Registered {
  const options = { service: { name: 'l02', ...given }, check: asked }
  const { service, check } = resolveOptions(options, { environment: {} })
  if (!service) throw new Error('no service')
  const parts = {
    id: 'l02',
    service,
    check,
    listener: { host: '10.0.0.1', port: 80, scheme: 'http', http1: true },
    published: { address: '10.0.0.1', checkHost: '10.0.0.1', unreachable: false },
    readyPath: '/health/ready'
  } as const
  return { ...parts, definition: definitionOf(parts, checkId, 'passing'), checkId, status: 'passing' }
}

/** The same as Consul shows it, with some difference. */
export function wireServiceOf (difference: Partial<WireService> = {}): WireService {
  return {
    ID: 'l02',
    Service: 'l02',
    Address: '10.0.0.1',
    Port: 80,
    Tags: [],
    Meta: {},
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: false,
    ...difference
  }
}

export function entryOf (difference: Partial<WireService>, ...checkIds: string[]): WireHealthEntry {
  return {
    Node: { Node: 'n', Address: '10.0.0.1' },
    Service: wireServiceOf(difference),
    Checks: checkIds.map(id => ({
      CheckID: id, Name: id, Status: 'passing', Output: '', Notes: 'why', ServiceID: 'l02', Type: 'http'
    }))
  }
}

import type { ServiceDefinition } from '../consul/service-definition.ts'
import type { WireService } from '../consul/wire.ts'
import { hostPort } from '../host-port.ts'

/**
 * What of a service is in Consul not as it was written, in words; `undefined` if all is. What Consul fills in by itself
 * is no difference, and neither are tags that others may change.
 */
export function driftOf (written: ServiceDefinition, found: WireService): string | undefined {
  const { name, address = '', port = 0, tags = [], meta = {} } = written
  const { enableTagOverride = false, taggedAddresses = {} } = written
  const { passing, warning } = written.weights ?? { passing: 1, warning: 1 }
  const same: Record<string, boolean> = {
    name: found.Service === name,
    address: found.Address === address,
    port: (found.Port ?? 0) === port,
    tags: enableTagOverride || isSame([...found.Tags ?? []].sort(), [...tags].sort()),
    meta: isSame(sorted(found.Meta ?? {}), sorted(meta)),
    weights: (found.Weights?.Passing ?? 1) === passing && (found.Weights?.Warning ?? 1) === warning,
    enableTagOverride: (found.EnableTagOverride ?? false) === enableTagOverride,
    taggedAddresses: Object.entries(taggedAddresses).every(([key, { address, port }]) => {
      const there = found.TaggedAddresses?.[key]
      return there?.Address === address && (port === undefined || there.Port === port)
    })
  }
  const different = Object.keys(same).filter(part => !same[part])
  return different.length === 0 ? undefined : different.join(', ')
}

/** `host:port` of a service, for people. */
export function placeOf ({ Address: address, Port: port = 0 }: Pick<WireService, 'Address' | 'Port'>): string {
  const host = address === '' ? 'the agent\'s address' : address
  return hostPort(host, port)
}

function sorted (map: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(map).sort(([a], [b]) => a < b ? -1 : 1)
}

function isSame (a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

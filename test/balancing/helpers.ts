import { Endpoint } from '../../lib/balancing/endpoint.ts'
import type { PickContext } from '../../lib/balancing/strategy.ts'
import type { Random } from '../../lib/clock.ts'
import { ServiceInstance } from '../../lib/consul/instance.ts'

type Fields = ConstructorParameters<typeof ServiceInstance>[0]

/** An instance of the service `svc`; what a test does not care about is made up. */
export function instance (fields: Partial<Fields> = {}): ServiceInstance {
  return new ServiceInstance({
    id: 'a',
    name: 'svc',
    address: '127.0.0.1',
    port: 8000,
    tags: [],
    meta: Object.create(null),
    status: 'passing',
    weights: { passing: 1, warning: 1 },
    scheme: 'http',
    node: 'node',
    datacenter: 'dc1',
    ...fields
  })
}

/** Endpoints by id and weight, in that order. Weights need not be whole. */
export function endpoints (weights: Record<string, number>): readonly Endpoint[] {
  return Object.freeze(Object.entries(weights).map(([id, weight]) =>
    endpointOf(instance({ id, weights: { passing: weight, warning: weight } }))))
}

/** An endpoint that is never ejected. */
export function endpointOf (instance: ServiceInstance): Endpoint {
  return new Endpoint(instance, { warningShare: 0.1 })
}

export function idOf (endpoint: Endpoint | undefined): string {
  return endpoint?.instance.id ?? 'none'
}

/** Of a pick that an attempt follows, which may be repeated; there is room for it everywhere. */
export const attempted = { sends: true, repeatable: true, isFull: () => false } as const

/** A call that may be repeated, at the time 0 unless the test says when. */
export function context (tried: readonly Endpoint[] = [], key?: string, now = 0): PickContext {
  return { service: 'svc', key, tried, now, ...attempted }
}

/** Numbers from a seed, the same on every machine (mulberry32). */
export function seeded (seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How often each was picked. */
export function tally (picks: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const pick of picks) counts[pick] = (counts[pick] ?? 0) + 1
  return counts
}

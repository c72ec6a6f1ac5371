import t from 'tap'
import type { ConsulOptions } from '../../lib/options/types.ts'
import { resolveOptions } from '../../lib/options/resolve.ts'

/** Type checked only: each marked line must be an error to the compiler. */
const refused: ConsulOptions[] = [
  // @ts-expect-error unknown option
  { drian: {} },
  // @ts-expect-error wrong type
  { timeout: true },
  // @ts-expect-error unknown mode
  { mode: 'hybird' },
  // @ts-expect-error a map, not a list
  { service: { name: 'a', meta: ['k=v'] } },
  // @ts-expect-error not available yet
  { metrics: {} },
  // @ts-expect-error false or an object
  { calls: { outlier: true } },
  // @ts-expect-error unknown strategy
  { balancer: { strategy: 'least-requests' } }
]

const accepted: ConsulOptions[] = [
  {},
  { token: undefined, service: false, health: false, underPressure: false },
  { token: async () => 'x', timeout: '5s', calls: { allow: ['a'] as const } },
  { service: { name: 'a', tags: ['x'] as const, weights: { warning: 0 } }, check: { headers: { a: ['b'] } } },
  { balancer: { strategy: (instances, { service }) => instances.find(({ name }) => name === service) } }
]

t.test('what the compiler refuses is refused, and what it accepts is accepted', async t => {
  for (const options of refused) {
    t.throws(() => resolveOptions(options, { environment: {} }), { code: 'FST_CONSUL_INVALID_OPTION' })
  }
  for (const options of accepted) t.doesNotThrow(() => resolveOptions(options, { environment: {} }))
})

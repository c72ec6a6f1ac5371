import { setTimeout as delay } from 'node:timers/promises'
import type { ServiceRegistry } from '../../../lib/registry.ts'

/**
 * How long it takes from the moment at which Consul has taken a change until `discover()` shows it. Milliseconds; 0 if
 * the change was there before Consul had answered.
 */
export async function measureArrival (
  caller: Pick<ServiceRegistry, 'discover'>, name: string, change: () => Promise<unknown>, limit = 10_000
): Promise<number> {
  const before = await caller.discover(name)
  let taken: number | undefined
  const changing = change().then(() => { taken = performance.now() })
  const end = performance.now() + limit
  while (await caller.discover(name) === before) {
    if (performance.now() > end) throw new Error(`a change of ${name} did not arrive within ${limit} ms`)
    await delay(1)
  }
  const arrived = performance.now()
  await changing
  return Math.max(0, arrived - (taken as number))
}

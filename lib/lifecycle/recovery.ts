import type { Clock } from '../clock.ts'
import type { CheckStatus } from '../consul/wire.ts'
import type { Readiness } from './readiness.ts'

/** How often the own checks run while the service is not healthy. Milliseconds. */
export const recheckEvery = 1000

const rank: Readonly<Record<CheckStatus, number>> = { critical: 0, warning: 1, passing: 2 }

/** Resolves when the service is better than `status`. Consul's own check would find out only at its next interval. */
export async function recovered (
  status: CheckStatus, readiness: () => Promise<Pick<Readiness, 'status'>>, clock: Clock, signal: AbortSignal
): Promise<void> {
  for (;;) {
    await clock.sleep(recheckEvery, signal)
    const { status: present } = await readiness()
    signal.throwIfAborted()
    if (rank[present] > rank[status]) return
  }
}

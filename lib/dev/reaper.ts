import type { Clock } from '../clock.ts'
import type { Services } from './services.ts'

/** Source: https://developer.hashicorp.com/consul/docs/reference/service/health-check#deregistercriticalserviceafter */
const lookEvery = 30_000

/** Removes services that were critical for longer than they want to be. @returns ends it */
export function reap (services: Services, clock: Clock): () => void {
  let cancel = clock.after(lookEvery, look)
  return () => cancel()

  function look (): void {
    for (const { definition: { deregisterAfter }, criticalSince, serviceId } of services.checks.all()) {
      if (deregisterAfter === 0 || criticalSince === undefined) continue
      if (clock.now() - criticalSince > deregisterAfter) services.deregister(serviceId)
    }
    cancel = clock.after(lookEvery, look)
  }
}

import { startProxy, type Target } from './proxy.ts'
import type { Teardown } from './teardown.ts'

/** A service that a test can take away. */
export interface Service extends Target {
  /** It is gone at once: connections break, new ones are refused. */
  kill: () => Promise<void>
  /** It ends in good order. */
  stop: () => Promise<void>
}

/** Stands for a service that is not the test's own: to the test it goes away, in truth only the way to it does. */
export async function borrow (t: Teardown, target: Target): Promise<Service> {
  const proxy = await startProxy(t, target)
  const takeAway = (): Promise<void> => proxy.close()
  return { host: proxy.host, port: proxy.port, kill: takeAway, stop: takeAway }
}

import type { CheckStatus } from '../consul/wire.ts'

/** The result of the service's own checks, in Consul's words. */
export interface Readiness {
  readonly status: CheckStatus
  /** Without messages, which may hold addresses and credentials. */
  readonly output: string
}

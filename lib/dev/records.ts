import type { CheckStatus } from '../consul/wire.ts'

/** A service as it was registered. */
export interface Service {
  readonly id: string
  readonly name: string
  readonly tags: readonly string[]
  readonly meta: Readonly<Record<string, string>>
  readonly address: string
  readonly port: number
  readonly weights: { readonly Passing: number, readonly Warning: number }
  readonly enableTagOverride: boolean
  readonly taggedAddresses: Readonly<Record<string, { readonly Address: string, readonly Port: number }>>
}

/** What a check does. Times are milliseconds. */
export type Probe =
  | { readonly type: 'ttl', readonly ttl: number }
  | { readonly type: 'tcp', readonly target: string, readonly interval: number, readonly timeout: number }
  | HttpProbe

export interface HttpProbe {
  readonly type: 'http'
  readonly target: string
  readonly method: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly body: string
  readonly tlsSkipVerify: boolean
  readonly interval: number
  readonly timeout: number
}

/** A check as it was registered. */
export interface CheckDefinition {
  readonly id: string
  readonly name: string
  readonly notes: string
  readonly status: CheckStatus
  /** None: maintenance, which nothing runs. */
  readonly probe: Probe | undefined
  readonly successBeforePassing: number
  readonly failuresBeforeCritical: number
  /** Milliseconds of being critical after which the service is removed; 0: never. */
  readonly deregisterAfter: number
}

/** A check of a service, and what it says. */
export interface Check {
  readonly definition: CheckDefinition
  readonly serviceId: string
  status: CheckStatus
  output: string
  /** The output as the catalog has it: one that comes without a new status is written there late. */
  listedOutput: string
  /** The clock's time. */
  criticalSince: number | undefined
}

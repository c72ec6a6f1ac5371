/** The parts of Consul's JSON that are read here, in Consul's own spelling. */

export type CheckStatus = 'passing' | 'warning' | 'critical'

export interface WireCheck {
  readonly CheckID: string
  readonly Name: string
  readonly Status: CheckStatus
  readonly Output: string
  /** Of maintenance: its reason. */
  readonly Notes?: string
  readonly ServiceID: string
  /** `http`, `ttl` and so on. */
  readonly Type?: string
}

export interface WireService {
  readonly ID: string
  readonly Service: string
  readonly Address: string
  /** Later versions may leave it out. */
  readonly Port?: number
  readonly Tags: readonly string[] | null
  readonly Meta: Readonly<Record<string, string>> | null
  readonly Weights?: { readonly Passing: number, readonly Warning: number } | null
  readonly EnableTagOverride?: boolean
  readonly TaggedAddresses?: Readonly<Record<string, { readonly Address: string, readonly Port?: number }>> | null
}

/** One element of `/v1/health/service/:name`. */
export interface WireHealthEntry {
  readonly Node: { readonly Node: string, readonly Address: string, readonly Datacenter?: string }
  readonly Service: WireService
  readonly Checks: readonly WireCheck[]
}

/** `/v1/agent/self`, as far as it is the same in every version. */
export interface WireAgentSelf {
  readonly Config: { readonly Datacenter: string, readonly NodeName: string, readonly Version: string }
  readonly Member: { readonly Name: string, readonly Addr: string }
}

/** What a read answers: its value and the headers that say how fresh it is. */
export interface Answer<T> {
  readonly value: T
  /** `X-Consul-Index` as it came: a decimal uint64, which a JavaScript number cannot hold. */
  readonly index: string | undefined
  /** `X-Consul-ContentHash` of a hash-based blocking query. */
  readonly hash: string | undefined
  /** The token sees only a part (Consul 1.11 and later say so). */
  readonly filteredByAcls: boolean
}

/** A right that a token may have or lack. */
export interface Right {
  readonly resource: 'agent' | 'node' | 'service'
  readonly access: 'read' | 'write'
  /** Of what; empty: of any. */
  readonly name: string
}

/** One answer of `/v1/internal/acl/authorize`. */
export interface WireRight {
  readonly Allow: boolean
}

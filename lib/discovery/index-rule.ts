/** What to do after an answer of a blocking query. */
export interface IndexStep {
  /** The index to ask with next; `undefined` asks at once, from the beginning. */
  readonly next: string | undefined
  /** Whether the answer counts. One whose index went backwards may come from an agent that knows nothing yet. */
  readonly valid: boolean
}

/**
 * Compares as uint64, never as a float: a missing or senseless index counts as 1, a lower one starts anew.
 *
 * Source: https://developer.hashicorp.com/consul/api-docs/features/blocking#implementation-details
 */
export function stepIndex (previous: string | undefined, received: string | undefined): IndexStep {
  const index = received !== undefined && /^\d{1,20}$/.test(received) ? BigInt(received) : 0n
  if (previous !== undefined && index < BigInt(previous)) return { next: undefined, valid: false }
  return { next: String(index < 1n ? 1n : index), valid: true }
}

import type { CursorStep } from '../consul/watch.ts'

/**
 * The index to ask with next. Compared as uint64, never as a float; a missing or senseless one counts as 1. After a
 * lower one the answer does not count and the next query starts anew: it may come from an agent that knows nothing yet.
 *
 * Source: https://developer.hashicorp.com/consul/api-docs/features/blocking#implementation-details
 */
export function stepIndex (previous: string | undefined, received: string | undefined): CursorStep {
  const sent = received !== undefined && /^\d{1,20}$/.test(received) ? BigInt(received) : 0n
  const index = sent < 1n ? 1n : sent
  if (previous !== undefined && index < BigInt(previous)) return { next: undefined, valid: false }
  return { next: String(index), valid: true }
}

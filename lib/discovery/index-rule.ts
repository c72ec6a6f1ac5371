import type { CursorStep } from '../consul/watch.ts'

const largestIndex = 2n ** 64n - 1n

/** An index as Consul sent it, a uint64 that no float holds. A missing or senseless one, and 0, count as 1. */
export function indexOf (received: string | undefined): bigint {
  const sent = received !== undefined && /^\d{1,20}$/.test(received) ? BigInt(received) : 0n
  return sent < 1n || sent > largestIndex ? 1n : sent
}

/**
 * The index to ask with next. After a lower one the answer does not count and the next query starts anew: it may come
 * from an agent that knows nothing yet.
 *
 * Source: https://developer.hashicorp.com/consul/api-docs/features/blocking#implementation-details
 */
export function stepIndex (previous: string | undefined, received: string | undefined): CursorStep {
  const index = indexOf(received)
  if (previous !== undefined && index < BigInt(previous)) return { next: undefined, valid: false }
  return { next: String(index), valid: true }
}

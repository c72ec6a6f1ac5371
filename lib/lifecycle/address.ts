import { isIPv6 } from 'node:net'
import { isLoopback } from '../loopback.ts'

export interface AddressFacts {
  /** The `service.address` option. */
  readonly configured: string | undefined
  /** What the server is bound to; `undefined` if there is none. */
  readonly bound: string | undefined
  /** This machine's end of the connection to the agent; `undefined` over a unix socket. */
  readonly towardsAgent: string | undefined
}

export interface PublishedAddress {
  /** What callers use; empty: the agent's own address. */
  readonly address: string
  /** What the agent's check uses: the same, or this machine's loopback if the address is left to the agent. */
  readonly checkHost: string
  /** Published, but the agent and callers on other machines cannot use it. */
  readonly unreachable: boolean
}

/** One source for the service and its check: the option, the bound address, or how this machine reaches the agent. */
export function publishedAddress ({ configured, bound, towardsAgent }: AddressFacts): PublishedAddress {
  const local = towardsAgent === undefined ? '127.0.0.1' : unmapped(towardsAgent)
  const known = configured ?? (bound === undefined || isUnspecified(bound) ? undefined : unmapped(bound))
  if (known !== undefined) {
    return { address: known, checkHost: known, unreachable: isLoopback(known) && !isLoopback(local) }
  }
  const isDeaf = bound === '0.0.0.0' && isIPv6(local) // The server hears IPv4 only.
  if (!isLoopback(local)) return { address: local, checkHost: local, unreachable: isDeaf }
  return { address: '', checkHost: isDeaf ? '127.0.0.1' : local, unreachable: false }
}

function isUnspecified (address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

/** A dual-stack socket shows an IPv4 address as `::ffff:10.0.0.1`. */
function unmapped (address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}

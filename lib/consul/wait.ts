import { goDurationOf, parseDuration, type Duration } from '../duration.ts'

export interface BlockingOptions {
  /** How long Consul may hold the answer back; it adds up to a sixteenth. At most 10 minutes; 0: its own 5. */
  wait?: Duration
}

/** What Consul waits if a query does not say, or says 0: https://developer.hashicorp.com/consul/api-docs/features/blocking */
const defaultWait = 300_000
/** It waits no longer than this, whatever a query says. */
const maxWait = 600_000

/** As the query says it. */
export function waitOf ({ wait }: BlockingOptions): string | undefined {
  return typeof wait === 'number' ? goDurationOf(wait) : wait
}

/** Milliseconds until Consul answers at the latest: it adds up to a sixteenth to the wait, to spread its answers. */
export function longestWait ({ wait = 0 }: BlockingOptions): number {
  const given = parseDuration(wait) ?? 0
  const ms = given === 0 ? defaultWait : Math.min(given, maxWait)
  return ms + ms / 16
}

/**
 * An agent that finds no leader says so after 7 s (`limits.rpc_hold_timeout`), a little more as measured. Milliseconds.
 *
 * Source: https://developer.hashicorp.com/consul/docs/reference/agent/configuration-file/general#rpc_hold_timeout
 */
const leaderHold = 10_000

/** The limit of a read whose answer nobody waits for: long enough to hear of a missing leader, where one is needed. */
export function patienceOf (timeout: number, consistency: 'stale' | 'default' | 'consistent'): number {
  return consistency === 'stale' ? timeout : Math.max(timeout, leaderHold)
}

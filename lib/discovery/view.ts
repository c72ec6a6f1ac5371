import { isConnectionError, isRefusal } from '../consul/connectivity.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import type { Answer, WireHealthEntry } from '../consul/wire.ts'
import { confirm, confirmAt, judge, noDoubt, release } from './guard.ts'
import {
  isUnchecked, keyOf, listedIn, lostKeys, nextSnapshot, nothingKnown, removedKeys, type KnownInstance,
  type ServiceSnapshot
} from './instances.ts'
import { Selections } from './selections.ts'
import type { DiscoverQuery } from './source.ts'

/** How a view is kept up to date. */
export type Upkeep = 'new' | 'unknown' | 'watched' | 'polled' | 'idle'

/** What Consul is asked for: all that cannot be matched in memory. */
export interface ViewKey {
  readonly name: string
  readonly datacenter: string | undefined
  readonly filter: string | undefined
  readonly near: string | undefined
}

type HealthAnswer = Pick<Answer<WireHealthEntry[]>, 'value' | 'index' | 'filteredByAcls'>

/** One service as it was last seen, and the lists that were asked of it. */
export class ServiceView {
  readonly key: ViewKey
  upkeep: Upkeep = 'new'
  snapshot: ServiceSnapshot | undefined
  /** How often it was asked for since that was last looked at. */
  calls = 0
  /** Whether anyone ever asked or announced to: the own service is followed without that. */
  wanted = false
  /** When Consul last answered. */
  answeredAt = 0
  /** Since when a watch has missed changes; `undefined` while it stands. */
  lostAt: number | undefined
  /** Before this it is of no use to ask Consul again. */
  askAgainAt = 0
  /** Why Consul does not answer. */
  error: unknown
  /** As Consul called it when it last listed any instance: it may have been asked for in another case. */
  listedAs: string | undefined
  /** Whether the last answer was only what the token may see, as Consul said. */
  filtered = false
  #guard = noDoubt
  #outages = 0
  #selections: Selections | undefined

  constructor (key: ViewKey) {
    this.key = key
  }

  /**
   * Takes over what Consul lists now. What it has lost without good reason is kept for a while: see `guard.ts`.
   *
   * @param outages how often the agent was away by now
   */
  accept (answer: HealthAnswer, now: number, outages = this.#outages): ServiceSnapshot {
    const before = this.snapshot ?? nothingKnown
    const listed = this.#read(answer)
    const disrupted = this.#guard.disrupted || outages > this.#outages
    const guard = release({ ...this.#guard, disrupted }, removedKeys(before, listed))
    this.#guard = judge(guard, lostKeys(before, listed), answer, now)
    this.#outages = outages
    this.listedAs = answer.value[0]?.Service.Service ?? this.listedAs
    this.filtered = answer.filteredByAcls
    this.answeredAt = now
    this.lostAt = undefined
    this.askAgainAt = 0
    this.error = undefined
    return this.#show(listed)
  }

  /** When the leader is to be asked whether what is missing is gone indeed; `undefined`: not. */
  get confirmAt (): number | undefined {
    return confirmAt(this.#guard)
  }

  /** Whether the token sees only a part: Consul said so, or it looks like that. */
  get partial (): boolean {
    if (this.filtered) return true
    for (const { doubt } of this.#guard.held.values()) if (doubt === 'filtered' || doubt === 'unmoved') return true
    return false
  }

  /** Takes over what the answer to that says of the instances that are kept. */
  confirm (answer: HealthAnswer, now: number): ServiceSnapshot {
    const { known } = this.snapshot ?? nothingKnown
    const { held } = this.#guard
    const found = this.#read(answer).filter(each => held.has(keyOf(each)) && !isUnchecked(each))
    const foundKeys = new Set(found.map(keyOf))
    this.#guard = confirm(this.#guard, foundKeys, answer, now)
    const others = known.filter(each => each.listed && !foundKeys.has(keyOf(each)))
    return this.#show([...others, ...found])
  }

  /** Someone asks for it. */
  want (): void {
    this.calls++
    this.wanted = true
  }

  /** From now on a watch keeps it true: from its first answer on, unless it goes on from the last one. */
  watch (goesOn: boolean): void {
    this.upkeep = 'watched'
    if (!goesOn && this.snapshot !== undefined) this.lostAt ??= this.answeredAt
  }

  fail (error: unknown, now: number): void {
    this.#guard = { ...this.#guard, disrupted: true }
    this.lostAt ??= now
    this.askAgainAt = now + pauseAfter(error)
    this.error = error
  }

  /** For how long the list may have been out of date, in milliseconds. A watch that is not broken off keeps it true. */
  staleFor (now: number): number {
    if (this.upkeep !== 'watched') return now - this.answeredAt
    return this.lostAt === undefined ? 0 : now - this.lostAt
  }

  /** The instances that match; the same array until one of them changes. */
  select (query: DiscoverQuery, passingOnly: boolean): readonly ServiceInstance[] {
    const from = (this.snapshot ?? nothingKnown).healthy
    if (query.tag === undefined && query.tags === undefined && !passingOnly) return from
    this.#selections ??= new Selections()
    return this.#selections.of(from, query, passingOnly)
  }

  #read ({ value }: HealthAnswer): readonly KnownInstance[] {
    return listedIn(value, this.snapshot ?? nothingKnown, this.key.datacenter ?? '')
  }

  #show (listed: readonly KnownInstance[]): ServiceSnapshot {
    this.snapshot = nextSnapshot(this.snapshot ?? nothingKnown, listed, this.#guard.held)
    return this.snapshot
  }
}

/** For how long not to ask again; after a lost connection, until its probe says more. Milliseconds. */
function pauseAfter (error: unknown): number {
  if (isConnectionError(error)) return 100
  return isRefusal(error) ? 5000 : 1000
}

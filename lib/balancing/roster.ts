import type { Endpoint } from './endpoint.ts'
import { mostEjected } from './peers.ts'
import type { PickContext } from './strategy.ts'

/** The endpoints of a group, as one list of instances and the ejections of a moment make them. */
export class Roster {
  /** Those that are picked. */
  readonly candidates: readonly Endpoint[]
  /** The candidates and those that are left out. */
  readonly members: readonly Endpoint[]
  /** Left out: ejected ones, up to a share of the members. Beyond that, those whose time is over first are used. */
  readonly ejected: readonly Endpoint[]
  /** Of weight 0 beside others of more: a last resort. */
  readonly spare: readonly Endpoint[]

  /**
   * @param maxEjected 0 to 1: the share that may be left out
   * @param before the one of the same list: what strategies have worked out from its arrays shall not be lost
   */
  constructor (endpoints: readonly Endpoint[], maxEjected: number, before?: Roster) {
    const weighted = endpoints.filter(({ weight }) => weight > 0)
    this.members = kept(before?.members, weighted.length > 0 ? weighted : endpoints)
    this.spare = weighted.length > 0 ? endpoints.filter(({ weight }) => weight === 0) : []
    this.ejected = leftOut(this.members, maxEjected)
    this.candidates = this.ejected.length === 0
      ? this.members
      : kept(before?.candidates, without(this.members, this.ejected))
  }

  /** With all candidates tried: those of weight 0, then the ejected ones. One that is full if all of them are. */
  lastResort (context: PickContext): Endpoint | undefined {
    const left = [...this.spare, ...this.ejected].filter(endpoint => !context.tried.includes(endpoint))
    return left.find(endpoint => !context.isFull(endpoint)) ?? left[0]
  }
}

/** The list of before, if it holds the same. */
export function kept (before: readonly Endpoint[] | undefined, now: readonly Endpoint[]): readonly Endpoint[] {
  if (before?.length !== now.length) return now
  return now.every((endpoint, index) => endpoint === before[index]) ? before : now
}

function leftOut (members: readonly Endpoint[], maxEjected: number): readonly Endpoint[] {
  const ejected = members.filter(({ ejection }) => ejection !== undefined)
  if (ejected.length === 0) return ejected
  const most = mostEjected(members.length, maxEjected)
  if (ejected.length <= most) return ejected
  return ejected.sort((one, other) => (other.ejection?.until ?? 0) - (one.ejection?.until ?? 0)).slice(0, most)
}

function without (endpoints: readonly Endpoint[], some: readonly Endpoint[]): readonly Endpoint[] {
  const left = new Set(some)
  return endpoints.filter(endpoint => !left.has(endpoint))
}

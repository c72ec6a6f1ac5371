/** What counts of one that competes for a watch. */
export interface Candidate {
  /** How much it was called of late. */
  readonly heat: number
}

/** A call counts half after so long. Milliseconds. */
const halfLife = 30_000

/**
 * Who takes a watch from another must have been called this many times as often, and this many calls more: services
 * that are called alike keep what they have, however the calls fall.
 */
const leadFactor = 2
const leadCalls = 15

/** What is left of the calls of some time ago, with those since then. */
export function heatAfter (heat: number, calls: number, elapsed: number): number {
  return heat * 2 ** (-elapsed / halfLife) + calls
}

/** The hottest first. */
export function hottestFirst<T extends Candidate> (candidates: readonly T[]): T[] {
  return candidates.toSorted((one, other) => other.heat - one.heat)
}

/** Who takes the watch of whom. */
export function takeovers<T extends Candidate> (watched: readonly T[], polled: readonly T[]): Array<[hot: T, cold: T]> {
  const holders = hottestFirst(watched).reverse()
  return hottestFirst(polled).flatMap((hot, rank): Array<[T, T]> => {
    const cold = holders[rank]
    return cold !== undefined && hot.heat >= leadFactor * cold.heat + leadCalls ? [[hot, cold]] : []
  })
}

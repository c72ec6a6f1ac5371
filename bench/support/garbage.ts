import { median } from './statistics.ts'

const rounds = 100
/** In a round: so few that a collection of garbage falls into a minority of the rounds. */
const runs = 1000

/** Bytes that one run leaves to the garbage collector: median of 100 rounds. A little below 0 is none. */
export function garbageOf (run: (count: number) => void): number {
  return (growthOf(run) - growthOf(() => {})) / runs
}

/** Of the heap, by one round. */
function growthOf (run: (count: number) => void): number {
  globalThis.gc?.()
  return median(Array.from({ length: rounds }, () => {
    const before = process.memoryUsage().heapUsed
    run(runs)
    return process.memoryUsage().heapUsed - before
  }))
}

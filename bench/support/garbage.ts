import { median } from './statistics.ts'

const rounds = 100
/** In a round: so few that a collection of garbage falls into a minority of the rounds. */
const runs = 1000

/** As long as the compiler is not done with the code, numbers are objects: it is looked so often. */
const looks = 5

/** Bytes that one run leaves to the garbage collector: median of 100 rounds, the least of five. Below 0 is none. */
export function garbageOf (run: (count: number) => void): number {
  return Math.min(...Array.from({ length: looks }, () => (growthOf(run) - growthOf(() => {})) / runs))
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

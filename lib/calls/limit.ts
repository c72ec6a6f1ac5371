import type { Clock } from '../clock.ts'

/** The longest that a timer can run; a longer one would fire at once. Milliseconds. */
const longest = 2 ** 31 - 1

/** Calls `onReached` after `ms` milliseconds, never if that is 0. Returns the function that ends the limit. */
export function startLimit (clock: Clock, ms: number, onReached: () => void): () => void {
  return ms === 0 ? none : clock.after(Math.min(ms, longest), onReached)
}

function none (): void {}

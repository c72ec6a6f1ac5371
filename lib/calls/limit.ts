import type { Clock } from '../clock.ts'

/** Calls `onReached` after `ms` milliseconds, never if that is 0. Returns the function that ends the limit. */
export function startLimit (clock: Clock, ms: number, onReached: () => void): () => void {
  return ms === 0 ? none : clock.after(ms, onReached)
}

function none (): void {}

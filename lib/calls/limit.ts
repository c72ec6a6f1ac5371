import type { Clock } from '../clock.ts'

/** How late a timer may fire before it says more of this process than of whom it waits for. Milliseconds. */
const late = 50
/** Time to read what has arrived while this process stood still. Milliseconds. */
const grace = 20

/**
 * Calls `onReached` after `ms` milliseconds, never if that is 0. Returns the function that ends the limit. When the
 * event loop has stood still, timers fire before the answers are read that came in time: these get their turn first,
 * and `onReached` is told that it comes late.
 */
export function startLimit (clock: Clock, ms: number, onReached: (isLate: boolean) => void): () => void {
  if (ms === 0) return none
  const due = clock.now() + ms
  let stop = clock.after(ms, () => {
    if (clock.now() - due < late) onReached(false)
    else stop = clock.after(grace, () => onReached(true))
  })
  return () => stop()
}

function none (): void {}

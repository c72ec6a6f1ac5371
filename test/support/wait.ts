import { once as onceEvent, type EventEmitter } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

export interface UntilOptions {
  /** Milliseconds. */
  timeout?: number
  /** What is waited for, as in "no leader yet". */
  what?: string
  /** Milliseconds between two looks. */
  interval?: number
}

const looksAfterEnd = 10

/**
 * Waits for a state: looks until `condition` answers something truthy, which is returned. A condition that throws is
 * not met yet. After the time limit (10 s) the error says what was waited for and what was seen last.
 */
export async function until<T> (
  condition: () => T | Promise<T>,
  { timeout = 10_000, what = String(condition), interval = 10 }: UntilOptions = {}
): Promise<NonNullable<Exclude<T, false | 0 | ''>>> {
  const end = performance.now() + timeout
  let late = 0
  for (;;) {
    let seen: unknown
    try {
      const value = await condition()
      if (value) return value as NonNullable<Exclude<T, false | 0 | ''>>
      seen = value
    } catch (error) {
      seen = error
    }
    // After a standstill timers fire before what has arrived meanwhile is read.
    if (performance.now() > end && ++late > looksAfterEnd) {
      throw new Error(`waited ${timeout} ms for ${what}; last seen: ${String(seen)}`, { cause: seen })
    }
    await delay(interval)
  }
}

/** The first argument of the next `event`; rejects after the time limit (10 s) and on `error`. */
export async function once<T = unknown> (emitter: EventEmitter, event: string, timeout = 10_000): Promise<T> {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(), timeout)
  try {
    const [value] = await onceEvent(emitter, event, { signal: limit.signal })
    return value as T
  } catch (error) {
    if (!limit.signal.aborted) throw error
    throw new Error(`waited ${timeout} ms for the event ${event}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

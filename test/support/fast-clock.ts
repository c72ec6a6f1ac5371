import { systemClock, type Clock } from '../../lib/clock.ts'

/** The system's time, so many times as fast: for what would take minutes with real services. */
export function fastClock (factor: number): Clock {
  return {
    now: () => systemClock.now() * factor,
    sleep: (ms, signal, keepAlive) => systemClock.sleep(ms / factor, signal, keepAlive),
    after: (ms, callback) => systemClock.after(ms / factor, callback)
  }
}

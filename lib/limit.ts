import type { Clock } from './clock.ts'

export interface Limit {
  readonly signal: AbortSignal
  /** It was not needed. */
  cancel (): void
}

/** A signal that aborts after `ms`. The process lives on until then, or until it is cancelled. */
export function limitOf (ms: number, reason: string, clock: Clock): Limit {
  const limit = new AbortController()
  const waiting = new AbortController()
  clock.sleep(ms, waiting.signal, true).then(() => limit.abort(new Error(reason)), () => {})
  return { signal: limit.signal, cancel: () => waiting.abort() }
}

import type { Endpoint } from '../balancing/endpoint.ts'
import type { Clock } from '../clock.ts'

/** A call that waits until an instance has room for it. */
export interface Waiting {
  /** There may be room. Says whether it waits no longer. */
  goOn (): boolean
  /** Nobody can be connected to there: it need not wait for that. */
  passOver (endpoint: Endpoint, error: Error): void
}

/** So many calls wait for one service at the most: each of them holds memory. */
const longest = 10_000
/** So many that cannot go where there is room are passed over for one that can. */
const mostPassedOver = 8
/** What else may make room is seen within this time: newcomers, and ejections that end. Milliseconds. */
const lookAgain = 100

/**
 * The calls that wait for a connection, in a line for each service, the longest waiting first. They wait for no
 * instance in particular: whoever has room first gets the next one.
 */
export class Lines {
  readonly #clock: Clock
  readonly #lines = new Map<string, Set<Waiting>>()
  /** Services whose line is being served, and how often there was room meanwhile. */
  readonly #serving = new Map<string, number>()
  #stopTimer: (() => void) | undefined

  constructor (clock: Clock) {
    this.#clock = clock
  }

  /** Whether there was place at the end of the line. */
  join (service: string, call: Waiting): boolean {
    const line = this.#lines.get(service) ?? new Set()
    if (line.size >= longest) return false
    this.#lines.set(service, line.add(call))
    this.#stopTimer ??= this.#clock.after(lookAgain, () => this.#onTimer())
    return true
  }

  leave (service: string, call: Waiting): void {
    const line = this.#lines.get(service)
    if (line?.delete(call) === true && line.size === 0) this.#lines.delete(service)
  }

  /** An instance of the service has room for one more. Calls that end at once come back here: no stack grows. */
  serve (service: string): void {
    if (!this.#lines.has(service)) return
    const isServing = this.#serving.has(service)
    this.#serving.set(service, (this.#serving.get(service) ?? 0) + 1)
    if (isServing) return
    for (let room = 1; room > 0; room = this.#serving.get(service) as number) {
      this.#serving.set(service, room - 1)
      this.#serveOne(service)
    }
    this.#serving.delete(service)
  }

  /** Who has room, or is there at all, may have changed. */
  look (): void {
    for (const service of [...this.#lines.keys()]) while (this.#serveOne(service));
  }

  /** None of the service's calls need wait for that instance. */
  passOver (service: string, endpoint: Endpoint, error: Error): void {
    for (const call of [...this.#lines.get(service) ?? []]) guarded(() => call.passOver(endpoint, error))
  }

  close (): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#lines.clear()
  }

  /** Whether one of the first has gone on. */
  #serveOne (service: string): boolean {
    let passedOver = 0
    for (const call of this.#lines.get(service) ?? []) {
      if (guarded(() => call.goOn()) ?? true) return true
      if (++passedOver === mostPassedOver) break
    }
    return false
  }

  #onTimer (): void {
    this.#stopTimer = undefined
    this.look()
    if (this.#lines.size > 0) this.#stopTimer ??= this.#clock.after(lookAgain, () => this.#onTimer())
  }
}

/** Handlers of the callers' own may throw: no reason to let the others wait. */
function guarded<T> (run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    queueMicrotask(() => { throw error })
  }
}

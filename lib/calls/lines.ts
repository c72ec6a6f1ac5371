import type { Endpoint } from '../balancing/endpoint.ts'
import type { Clock } from '../clock.ts'

/** A call that waits until an instance has room for it. */
export interface Waiting {
  /** There may be room. Says whether it waits no longer. */
  goOn (): boolean
  /** No connection can be made to there under that origin: it need not wait for one. */
  passOver (endpoint: Endpoint, origin: string, error: Error): void
}

/** So many calls wait for one service at the most: each of them holds memory. */
const longest = 10_000
/** So many that cannot go where there is room let one pass that can; if nobody can they stand behind the others. */
const mostPassedOver = 8
/** So many times as many are looked at every time that somebody may be able to go. */
const mostLooks = 16
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

  /** How many calls wait for a service. */
  waiting (service: string): number {
    return this.#lines.get(service)?.size ?? 0
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
    for (const [service, line] of [...this.#lines]) {
      const looks = Math.min(Math.ceil(line.size / mostPassedOver), mostLooks)
      for (let look = 0; look < looks; look++) while (this.#serveOne(service));
    }
  }

  /** None of the service's calls of that origin need wait for that instance. One may let others go on. */
  passOver (service: string, endpoint: Endpoint, origin: string, error: Error): void {
    const line = this.#lines.get(service)
    for (const call of [...line ?? []]) {
      if (line?.has(call) === true) guarded(() => call.passOver(endpoint, origin, error))
    }
  }

  close (): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#lines.clear()
  }

  /** Whether one of the first has gone on. */
  #serveOne (service: string): boolean {
    const line = this.#lines.get(service)
    if (line === undefined) return false
    const passedOver: Waiting[] = []
    for (const call of line) {
      if (guarded(() => call.goOn()) ?? true) return true
      if (passedOver.push(call) === mostPassedOver) break
    }
    for (const call of passedOver) if (line.delete(call)) line.add(call)
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

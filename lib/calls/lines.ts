import type { Endpoint } from '../balancing/endpoint.ts'
import type { Clock } from '../clock.ts'
import { Line, type Waiting } from './line.ts'

/** What else makes room is seen within this time: newcomers, and ejections that end. Milliseconds. */
const lookAgain = 100
/** The same where not all have looked yet, as they are too many for one look. */
const goOn = 10

/**
 * The calls that wait for a connection: for each service a line for each group of its instances. They wait for no
 * instance in particular: whoever has room first gets the next one, of each line in turn.
 */
export class Lines {
  readonly #clock: Clock
  readonly #services = new Map<string, Map<object, Line>>()
  /** Services whose lines are being served, and how often there was room meanwhile. */
  readonly #serving = new Map<string, number>()
  #stopTimer: (() => void) | undefined

  constructor (clock: Clock) {
    this.#clock = clock
  }

  /** Whether there was place at the end of the line. */
  join (service: string, call: Waiting): boolean {
    const lines = this.#services.get(service) ?? new Map<object, Line>()
    const line = lines.get(call.group) ?? new Line()
    if (!line.join(call)) return false
    this.#services.set(service, lines.set(call.group, line))
    this.#stopTimer ??= this.#clock.after(lookAgain, () => this.#onTimer())
    return true
  }

  leave (service: string, call: Waiting): void {
    const lines = this.#services.get(service)
    const line = lines?.get(call.group)
    line?.leave(call)
    if (line?.size === 0) lines?.delete(call.group)
    if (lines?.size === 0) this.#services.delete(service)
  }

  /** How many wait for a service. */
  lengthOf (service: string): number {
    return [...this.#services.get(service)?.values() ?? []].reduce((sum, { size }) => sum + size, 0)
  }

  /** An instance of the service has room for one more. Calls that end at once come back here: no stack grows. */
  serve (service: string): void {
    if (!this.#services.has(service)) return
    const isServing = this.#serving.has(service)
    this.#serving.set(service, (this.#serving.get(service) ?? 0) + 1)
    if (isServing) return
    for (let room = 1; room > 0; room = this.#serving.get(service) as number) {
      this.#serving.set(service, room - 1)
      this.#serveOne(service)
    }
    this.#serving.delete(service)
  }

  /** Who of the service has room, or is there at all, may have changed. */
  look (service: string): void {
    while (this.#serveOne(service));
  }

  /** None of the service's calls of that origin need wait for that instance. One may let others go on. */
  passOver (service: string, endpoint: Endpoint, origin: string, error: Error): void {
    for (const line of [...this.#services.get(service)?.values() ?? []]) line.passOver(endpoint, origin, error)
  }

  close (): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#services.clear()
  }

  /** Whether somebody took the room that there may be. */
  #serveOne (service: string): boolean {
    const lines = this.#services.get(service)
    for (const [group, line] of lines ?? []) {
      if (!line.serve()) continue
      const left = lines?.get(group)
      if (left !== undefined && lines?.delete(group) === true) lines.set(group, left)
      return true
    }
    return false
  }

  #onTimer (): void {
    this.#stopTimer = undefined
    for (const service of [...this.#services.keys()]) this.look(service)
    if (this.#services.size === 0) return
    const lines = [...this.#services.values()].flatMap(lines => [...lines.values()])
    const pause = lines.some(({ isUnfinished }) => isUnfinished) ? goOn : lookAgain
    this.#stopTimer ??= this.#clock.after(pause, () => this.#onTimer())
  }
}

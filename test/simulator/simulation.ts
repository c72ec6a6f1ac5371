import type { Clock } from '../../lib/clock.ts'

interface Event {
  readonly at: number
  /** In the order in which they were planned, if they are due together. */
  readonly order: number
  readonly run: () => void
}

/** Virtual time: it jumps from one event to the next, so that minutes take milliseconds and every run is the same. */
export class Simulation implements Clock {
  /** A binary heap, the next event on top. */
  readonly #events: Event[] = []
  #now = 0
  #planned = 0

  now (): number { return this.#now }

  /** Calls `run` after `ms`; it cannot be taken back, so that whoever does not want it any more must look. */
  plan (ms: number, run: () => void): void {
    const events = this.#events
    const event = { at: this.#now + ms, order: this.#planned++, run }
    let place = events.push(event) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = events[parent] as Event
      if (!isBefore(event, above)) break
      events[place] = above
      place = parent
    }
    events[place] = event
  }

  after (ms: number, callback: () => void): () => void {
    let wanted = true
    this.plan(ms, () => { if (wanted) callback() })
    return () => { wanted = false }
  }

  sleep (): Promise<void> {
    throw new Error('promises take no virtual time: use after()')
  }

  /** Runs everything that is planned, and what is planned meanwhile. */
  run (): void {
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      this.#now = next.at
      next.run()
    }
  }

  #take (): Event | undefined {
    const events = this.#events
    const first = events[0]
    const last = events.pop()
    if (last === undefined || events.length === 0) return last
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= events.length) break
      if (child + 1 < events.length && isBefore(events[child + 1] as Event, events[child] as Event)) child++
      if (!isBefore(events[child] as Event, last)) break
      events[place] = events[child] as Event
      place = child
    }
    events[place] = last
    return first
  }
}

function isBefore (one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}

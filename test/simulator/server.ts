import type { Simulation } from './simulation.ts'

/** What a server does with a request: for how long it works, and whether it answers with what was asked for. */
export interface Service {
  /** Milliseconds. */
  readonly time: number
  /**
   * A status: `refused` 503, `error` 404 or 500, `limited` 429. `unsent`: no connection. `silent`: no answer ever.
   * Default `served`.
   */
  readonly reply?: Reply
}

export type Reply = 'served' | 'refused' | 'error' | 'limited' | 'unsent' | 'silent'

/** Given the time, what the server does with the request that it takes up now. */
export type Behaviour = (now: number) => Service

/** What a server can take. */
export interface Capacity {
  /** Requests that it works on at a time; the others wait in line. Default: any number. */
  readonly concurrency?: number
  /** Requests that wait in line; the others are refused at once. Default: any number. */
  readonly line?: number
}

/** An instance. */
export class SimulatedServer {
  readonly #simulation: Simulation
  readonly #behaviour: Behaviour
  readonly #concurrency: number
  readonly #maxLine: number
  readonly #line: ((reply: Reply) => void)[] = []
  #busy = 0
  /** When requests came. */
  readonly requests: number[] = []

  constructor (simulation: Simulation, behaviour: Behaviour, capacity: Capacity = {}) {
    this.#simulation = simulation
    this.#behaviour = behaviour
    this.#concurrency = capacity.concurrency ?? Infinity
    this.#maxLine = capacity.line ?? Infinity
  }

  handle (onReply: (reply: Reply) => void): void {
    this.requests.push(this.#simulation.now())
    if (this.#busy < this.#concurrency) this.#serve(onReply)
    else if (this.#line.length < this.#maxLine) this.#line.push(onReply)
    else this.#simulation.plan(1, () => onReply('refused'))
  }

  #serve (onReply: (reply: Reply) => void): void {
    const { time, reply = 'served' } = this.#behaviour(this.#simulation.now())
    if (reply === 'silent') return
    this.#busy++
    this.#simulation.plan(time, () => {
      this.#busy--
      onReply(reply)
      const next = this.#line.shift()
      if (next !== undefined) this.#serve(next)
    })
  }
}

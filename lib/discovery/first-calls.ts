import { setMaxListeners } from 'node:events'
import { abortable } from '../abortable.ts'
import type { Clock } from '../clock.ts'
import { isConnectionError, type Connectivity } from '../consul/connectivity.ts'
import { ApiTimeoutError } from '../errors.ts'
import { limitOf } from '../limit.ts'
import { SingleFlight } from './single-flight.ts'
import { Turns } from './turns.ts'
import type { ServiceView } from './view.ts'

interface Parts {
  /** Asks Consul once, with a limit in milliseconds. It never rejects: what failed stands in the view. */
  readonly ask: (view: ServiceView, timeout: number) => Promise<void>
  /**
   * Limit of one question, and of the wait for an agent that is away, which keeps the process alive. Milliseconds.
   */
  readonly timeout: number
  readonly connectivity: Connectivity
  readonly clock: Clock
  /** Told for how many milliseconds a caller waited for a question. What came of it stands in the view. */
  readonly onWaited?: ((view: ServiceView, ms: number) => void) | undefined
  /** Aborts when nobody is asked any more. */
  readonly closed: AbortSignal
}

/** Questions at a time: watches that begin and the poller use the same few connections. */
const concurrency = 3

/** The questions that callers wait for. None of them rejects: what failed stands in the view. */
export class FirstCalls {
  readonly #parts: Parts
  /** One question for all who want to know the same. */
  readonly #asking = new SingleFlight<ServiceView>()
  readonly #turns = new Turns(concurrency)

  constructor (parts: Parts) {
    this.#parts = parts
    // Every call that waits listens.
    setMaxListeners(0, parts.closed)
  }

  /** Asks, but not while the agent cannot be reached, and not at every call when it refuses. Nobody waits for it. */
  async ask (view: ServiceView): Promise<void> {
    if (this.#parts.clock.now() >= view.askAgainAt) await this.#askInTurn(view, this.#parts.timeout)
  }

  /** The same for a caller, who waits. */
  async askNow (view: ServiceView): Promise<void> {
    await this.#timed(view, () => this.ask(view))
  }

  /** The same, and once more if the agent is away and comes back in time. */
  async askPatiently (view: ServiceView): Promise<void> {
    await this.#timed(view, () => this.#askTwice(view))
  }

  async #timed (view: ServiceView, ask: () => Promise<void>): Promise<void> {
    const { clock, onWaited } = this.#parts
    const began = clock.now()
    await ask()
    onWaited?.(view, clock.now() - began)
  }

  async #askTwice (view: ServiceView): Promise<void> {
    const { timeout, clock, connectivity } = this.#parts
    const end = clock.now() + timeout
    await this.ask(view)
    if (view.snapshot !== undefined || (connectivity.up && !isConnectionError(view.error))) return
    if (end > clock.now() && await this.#isRestored(end - clock.now())) {
      await this.#askInTurn(view, Math.max(end - clock.now(), 1))
    }
  }

  async #askInTurn (view: ServiceView, timeout: number): Promise<void> {
    if (!this.#canAsk()) return
    await this.#asking.run(view, async () => {
      try {
        await this.#turns.take(() => this.#ask(view, timeout))
      } catch (error) {
        view.fail(error, this.#parts.clock.now())
      }
    })
  }

  /** Behind a question that the agent does not answer in time nobody waits: each would wait as long. */
  async #ask (view: ServiceView, timeout: number): Promise<void> {
    if (!this.#canAsk()) return
    await this.#parts.ask(view, timeout)
    if (view.error instanceof ApiTimeoutError) this.#turns.turnAway(view.error)
  }

  #canAsk (): boolean {
    return this.#parts.connectivity.up && !this.#parts.closed.aborted
  }

  async #isRestored (within: number): Promise<boolean> {
    const { clock, closed, connectivity } = this.#parts
    const limit = limitOf(within, 'Consul did not come back in time', clock)
    try {
      await abortable(connectivity.restored(limit.signal), closed)
      return true
    } catch {
      return false
    } finally {
      limit.cancel()
    }
  }
}

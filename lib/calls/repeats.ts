import type { Dispatcher } from 'undici'
import type { Clock, Random } from '../clock.ts'
import { isReplayable } from './replay.ts'
import { delayBefore, isIdempotent } from './retry.ts'
import type { RetryBudget } from './retry-budget.ts'

export interface RepeatsParts {
  readonly budget: RetryBudget
  readonly clock: Clock
  readonly random: Random
}

/** How often one request is sent once more, and when. */
export class Repeats {
  readonly #parts: RepeatsParts
  readonly #options: Dispatcher.DispatchOptions
  readonly #limit: number
  #count = 0
  #waiting: AbortController | undefined

  constructor (parts: RepeatsParts, options: Dispatcher.DispatchOptions, limit: number) {
    this.#parts = parts
    this.#options = options
    this.#limit = limit
  }

  /** Whether the request may be sent once more; it counts as sent then. */
  claim (): boolean {
    if (this.#count >= this.#limit || !isRepeatable(this.#options)) return false
    if (!this.#parts.budget.withdraw()) return false
    this.#count++
    return true
  }

  /** Calls `onOver` when it is time to send the request that was claimed last. */
  backOff (onOver: () => void): void {
    const { clock, random } = this.#parts
    this.#waiting = new AbortController()
    clock.sleep(delayBefore(this.#count, random), this.#waiting.signal, true).then(onOver, () => {})
  }

  /** The same for a connection that broke: the first time that is the end of one instance, and no sign of load. */
  backOffAfterBreak (onOver: () => void): void {
    if (this.#count === 1) onOver()
    else this.backOff(onOver)
  }

  /** The call is over. */
  cancel (): void {
    this.#waiting?.abort()
  }
}

/** Whether a request that was sent may be sent once more. */
export function isRepeatable (options: Dispatcher.DispatchOptions): boolean {
  return isIdempotent(options) && isReplayable(options.body)
}

import type { CheckStatus } from '../consul/wire.ts'
import type { CheckDefinition } from './records.ts'

/** How many results in a row it takes to count, after the first, which does. TTL checks have none. */
export class Thresholds {
  readonly #definition: CheckDefinition
  #successes: number
  #failures: number

  constructor (definition: CheckDefinition) {
    this.#definition = definition
    this.#successes = definition.successBeforePassing
    this.#failures = definition.failuresBeforeCritical
  }

  /** Whether this result, after those before it, counts. */
  reached (status: CheckStatus): boolean {
    const { successBeforePassing, failuresBeforeCritical } = this.#definition
    if (status === 'critical') {
      this.#successes = 0
      return ++this.#failures >= failuresBeforeCritical
    }
    this.#failures = 0
    return ++this.#successes >= successBeforePassing
  }
}

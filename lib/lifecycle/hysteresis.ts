import type { CheckStatus } from '../consul/wire.ts'

export interface Thresholds {
  /** So many results in a row that are not critical, before it is passing or in warning again. 0 as 1: the first. */
  readonly successBeforePassing: number
  /** So many critical ones in a row, before it is critical. */
  readonly failuresBeforeCritical: number
}

/** Consul counts the results of the checks that it runs itself. Those of a TTL check it takes as they come. */
export class Hysteresis {
  readonly #thresholds: Thresholds
  #status: CheckStatus | undefined
  /** Results in a row that would change the status. */
  #count = 0

  constructor (thresholds: Thresholds) {
    this.#thresholds = thresholds
  }

  /** Takes one more result; the first one counts at once. @returns the status to tell */
  next (result: CheckStatus): CheckStatus {
    const before = this.#status ?? result
    const { successBeforePassing, failuresBeforeCritical } = this.#thresholds
    const isTurn = (result === 'critical') !== (before === 'critical')
    this.#count = isTurn ? this.#count + 1 : 0
    const needed = result === 'critical' ? failuresBeforeCritical : successBeforePassing
    this.#status = isTurn && this.#count < needed ? before : result
    if (this.#status === result) this.#count = 0
    return this.#status
  }
}

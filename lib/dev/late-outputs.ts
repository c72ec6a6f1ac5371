import type { Clock, Random } from '../clock.ts'

/**
 * An output that comes without a new status goes to the catalog after half of this and up to a whole of it more.
 *
 * Source: https://developer.hashicorp.com/consul/docs/reference/agent/configuration-file/general#check_update_interval
 */
const updateInterval = 300_000

/** What is written to the catalog later, by check id. */
export class LateOutputs {
  readonly #clock: Clock
  readonly #random: Random
  readonly #pending = new Map<string, () => void>()

  constructor (clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  add (checkId: string, write: () => void): void {
    if (this.#pending.has(checkId)) return
    const ms = updateInterval * (0.5 + this.#random())
    this.#pending.set(checkId, this.#clock.after(ms, write))
  }

  delete (checkId: string): void {
    this.#pending.get(checkId)?.()
    this.#pending.delete(checkId)
  }

  close (): void {
    for (const id of [...this.#pending.keys()]) this.delete(id)
  }
}

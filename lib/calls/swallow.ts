import { errors } from 'undici'
import type { Attempt, AttemptOwner } from './attempt.ts'
import type { LegacyHandler } from './legacy-handler.ts'
import type { Limit, Limits } from './limits.ts'

/** Reading on costs less than a new connection only up to here. Bytes; milliseconds. */
const maxSize = 64 * 1024
const maxTime = 1000

/** Takes over an attempt whose response nobody wants: reads it to its end, so that the connection can be used again. */
export class Swallow implements AttemptOwner {
  readonly handler: LegacyHandler
  readonly #limit: Limit | undefined

  constructor (attempt: Attempt, limits: Limits) {
    const giveUp = (): void => attempt.abort(new errors.RequestAbortedError())
    let size = 0
    this.#limit = limits.start(maxTime, { expire: giveUp })
    this.handler = {
      onConnect () {},
      onError () {},
      onData (chunk) {
        size += chunk.length
        if (size > maxSize) giveUp()
      }
    }
  }

  accepts (): boolean { return true }
  attemptCompleted (): void { this.#limit?.stop() }
  attemptUpgraded (): void { this.#limit?.stop() }
  attemptFailed (): void { this.#limit?.stop() }
}

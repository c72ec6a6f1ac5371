import { AttemptTimeoutError, NoInstanceError } from '../errors.ts'

/** What became of the attempts of a call that were not enough. */
export class Failures {
  #last: Error | undefined
  /** That of the last attempt that was sent and got no answer: nobody knows whether it was carried out. */
  #lost: Error | undefined
  #unsent = 0
  #anySent = false

  /** Attempts that did not get as far as sending. */
  get unsent (): number { return this.#unsent }

  /** An attempt got no answer. */
  add (error: Error, sent: boolean): void {
    this.#last = error
    if (sent) this.#lost = error
    else this.#unsent++
    this.#anySent ||= sent
  }

  /** An instance answered that it cannot serve the request. */
  refused (error: Error): void {
    this.#last = error
    this.#anySent = true
  }

  /** An instance is out of reach, as others have found. */
  passedOver (error: Error): void {
    this.#last ??= error
  }

  /** Why the call fails if nobody is left after so many; `undefined`: nothing has failed. */
  whenNoneIsLeft (service: string, tried: number): Error | undefined {
    const last = this.#last
    if (this.#lost !== undefined) return this.#lost
    if (last === undefined || last instanceof AttemptTimeoutError) return last
    const why = last.message === '' && 'code' in last ? String(last.code) : last.message
    const how = this.#anySent ? 'served the request' : 'could be connected to'
    return new NoInstanceError(service, `of ${tried} tried none ${how}, ${why}`, { cause: last })
  }

  /** Why it fails if it has waited for those that are left, in vain. */
  whenOthersAreBusy (error: Error): Error {
    if (this.#lost !== undefined) return this.#lost
    if (this.#last !== undefined) error.cause = this.#last
    return error
  }
}

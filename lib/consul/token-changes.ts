import type { Clock } from '../clock.ts'
import type { Token } from './token.ts'

/** A file is looked at this often: no request may be made for as long as a blocking query waits. Milliseconds. */
const lookEvery = 3000
/** A function may give another token at every call. Each is told, but not more often than this. Milliseconds. */
const tellEvery = 10_000

/**
 * Tells of a new token: of a file's within seconds, of a function's when a request has got it. Consul's agent keeps
 * the token that a service was registered with, so whoever registered it has to do so again.
 */
export class TokenChanges {
  readonly #token: Token
  readonly #clock: Clock
  readonly #listeners = new Set<() => void>()
  #stopWatching = () => {}
  #stopLooking = () => {}
  /** Set for `tellEvery` after listeners were told. */
  #isResting = false
  #isDue = false
  #stopResting = () => {}

  constructor (token: Token, clock: Clock) {
    this.#token = token
    this.#clock = clock
  }

  /** @returns what ends it */
  subscribe (listener: () => void): () => void {
    const own = () => listener()
    if (this.#listeners.size === 0) this.#begin()
    this.#listeners.add(own)
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.close()
    }
  }

  close (): void {
    this.#listeners.clear()
    this.#stopWatching()
    this.#stopLooking()
    this.#stopResting()
    this.#isResting = false
    this.#isDue = false
  }

  #begin (): void {
    this.#stopWatching = this.#token.onChange(() => this.#tell())
    if (this.#token.isFile) this.#lookLater()
  }

  #lookLater (): void {
    this.#stopLooking = this.#clock.after(lookEvery, () => {
      // What cannot be read now is said by the next request.
      this.#token.read().catch(() => {})
      this.#lookLater()
    })
  }

  #tell (): void {
    this.#isDue = this.#isResting
    if (this.#isResting) return
    this.#isResting = true
    this.#stopResting = this.#clock.after(tellEvery, () => {
      this.#isResting = false
      if (this.#isDue) this.#tell()
    })
    for (const listener of [...this.#listeners]) listener()
  }
}

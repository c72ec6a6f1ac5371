import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Endpoint } from '../balancing/endpoint.ts'
import type { Clock } from '../clock.ts'
import { AttemptTimeoutError } from '../errors.ts'
import type { Aftermath, InstancePool, PooledRequest } from './instance-pool.ts'
import type { Abort, LegacyHandler } from './legacy-handler.ts'
import { startLimit } from './limit.ts'
import { isBreak, isFaultOfRequest, isRefusal } from './retry.ts'
import { Swallow } from './swallow.ts'

/** Whom an attempt belongs to. It is told once of the end, and of nothing afterwards. */
export interface AttemptOwner {
  /** Gets the response while it comes in. */
  readonly handler: LegacyHandler
  /** Whether the handler gets a response that refuses the request. If not, the owner hears no more of the attempt. */
  accepts (attempt: Attempt, status: number, headers: readonly Buffer[]): boolean
  /** The instance left before it got the request. */
  instanceLeft (attempt: Attempt): void
  attemptCompleted (trailers: string[] | null): void
  attemptUpgraded (status: number, headers: Buffer[] | string[] | null, socket: Duplex): void
  attemptFailed (attempt: Attempt, error: Error): void
}

/**
 * One try of a request on one instance. The time limit to the response headers starts anew with every part of the
 * body that goes out: an upload may take as long as it moves.
 */
export class Attempt implements PooledRequest {
  readonly endpoint: Endpoint
  readonly #pool: InstancePool
  #owner: AttemptOwner
  readonly #clock: Clock
  readonly #timeout: number
  /** Set once the request is being written. */
  #abort: Abort | undefined
  #answered = false
  #stale = false
  #over = false
  #stopTimer: (() => void) | undefined
  #lastSentAt = -Infinity

  /** `timeout` in milliseconds; 0: none. */
  constructor (endpoint: Endpoint, pool: InstancePool, owner: AttemptOwner, timeout: number, clock: Clock) {
    this.endpoint = endpoint
    this.#pool = pool
    this.#owner = owner
    this.#timeout = timeout
    this.#clock = clock
  }

  /** Whether any of the request may have reached the instance. */
  get sent (): boolean { return this.#abort !== undefined }

  /** Whether the owner's handler has begun to get the response. */
  get answered (): boolean { return this.#answered }

  /** Whether it failed for a connection that broke while it was used again: that says little of the instance. */
  get stale (): boolean { return this.#stale }

  /** `origin`: by which the caller knows the service. */
  start (origin: string, options: Dispatcher.DispatchOptions): void {
    this.endpoint.begin()
    this.#startTimer(this.#timeout)
    this.#pool.dispatch(origin, options, this)
  }

  /** Ends it; the owner is told that it failed. */
  abort (error: Error): void {
    if (this.#abort === undefined) this.onError(error)
    else this.#abort(error)
  }

  onConnect (abort: Abort): void {
    this.#abort = abort
  }

  onInstanceLeft (): void {
    this.#owner.instanceLeft(this)
  }

  onBodySent (chunkSize: number, totalBytesSent: number): void {
    this.#lastSentAt = this.#clock.now()
    this.#owner.handler.onBodySent?.(chunkSize, totalBytesSent)
  }

  onRequestSent (): void {
    this.#owner.handler.onRequestSent?.()
  }

  onResponseStarted (): void {
    this.#owner.handler.onResponseStarted?.()
  }

  onHeaders (status: number, headers: Buffer[], resume: () => void, statusText: string): boolean {
    if (status >= 200) {
      this.#stopTimer?.()
      this.#answered = !isRefusal(status) || this.#owner.accepts(this, status, headers)
      if (!this.#answered) this.#owner = new Swallow(this, this.#clock)
    }
    return this.#owner.handler.onHeaders?.(status, headers, resume, statusText) !== false
  }

  onData (chunk: Buffer): boolean {
    return this.#owner.handler.onData?.(chunk) !== false
  }

  onComplete (trailers: string[] | null): void {
    if (this.#end('reusable')) this.#owner.attemptCompleted(trailers)
  }

  /** The connection is the caller's now; the load on the instance lasts as long as that. */
  onUpgrade (status: number, headers: Buffer[] | string[] | null, socket: Duplex): void {
    this.#stopTimer?.()
    this.#pool.release(this, 'spent')
    socket.once('close', () => this.#end('spent'))
    this.#owner.attemptUpgraded(status, headers, socket)
  }

  onError (error: Error): void {
    this.#stale = this.sent && !this.#answered && isBreak(error) && this.#pool.reuses(this)
    if (this.#end(this.#aftermathOf(error))) this.#owner.attemptFailed(this, error)
  }

  /** Whether it had not ended before. */
  #end (aftermath: Aftermath): boolean {
    if (this.#over) return false
    this.#over = true
    this.#stopTimer?.()
    this.endpoint.end()
    this.#pool.release(this, aftermath)
    return true
  }

  #startTimer (ms: number): void {
    this.#stopTimer = startLimit(this.#clock, ms, () => this.#expire())
  }

  #expire (): void {
    const left = this.#lastSentAt + this.#timeout - this.#clock.now()
    if (left > 0) return this.#startTimer(left)
    const { name, id } = this.endpoint.instance
    this.abort(new AttemptTimeoutError(name, id, this.#timeout))
  }

  /** A request that is refused for what it is leaves its connection untouched. */
  #aftermathOf (error: Error): Aftermath {
    if (this.sent) return this.#stale ? 'stale' : 'spent'
    return isFaultOfRequest(error) ? 'reusable' : 'unsent'
  }
}

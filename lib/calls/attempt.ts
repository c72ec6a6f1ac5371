import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Endpoint, Outcome } from '../balancing/endpoint.ts'
import type { Clock } from '../clock.ts'
import { AttemptTimeoutError } from '../errors.ts'
import type { Connection } from './connection.ts'
import type { CallEvents } from './events.ts'
import type { Aftermath, InstancePool, PooledRequest } from './instance-pool.ts'
import type { Abort, LegacyHandler } from './legacy-handler.ts'
import type { Limit, Limits } from './limits.ts'
import type { Pools } from './pools.ts'
import { isBreak, isFaultOfHost, isFaultOfRequest, isOfNoInstance, isRefusal } from './retry.ts'
import { Swallow } from './swallow.ts'

export interface AttemptParts {
  readonly pools: Pools
  readonly limits: Limits
  readonly events: Pick<CallEvents, 'attempt'>
  readonly clock: Clock
}

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
  connection: Connection | undefined
  readonly #parts: AttemptParts
  readonly #pool: InstancePool
  #owner: AttemptOwner
  readonly #timeout: number
  /** Set once the request is being written. */
  #abort: Abort | undefined
  #answered = false
  #stale = false
  #over = false
  #startedAt = 0
  /** What its endpoint has been told of how it went, and when. */
  #recorded: Outcome | undefined
  #recordedAt = 0
  /** Whether it ends for a reason that is not the instance's. */
  #blameless = false
  /** Whether this process is what took so long. */
  #late = false
  #limit: Limit | undefined
  #lastSentAt = -Infinity

  /** `timeout` in milliseconds; 0: none. */
  constructor (parts: AttemptParts, endpoint: Endpoint, owner: AttemptOwner, timeout: number) {
    this.endpoint = endpoint
    this.#parts = parts
    this.#pool = parts.pools.of(endpoint)
    this.#owner = owner
    this.#timeout = timeout
  }

  /** Whether any of the request may have reached the instance. */
  get sent (): boolean { return this.#abort !== undefined }

  /** Whether the owner's handler has begun to get the response. */
  get answered (): boolean { return this.#answered }

  /** Whether it failed for a connection that broke while it was used again: that says little of the instance. */
  get stale (): boolean { return this.#stale }

  /** `origin`: by which the caller knows the service. */
  start (origin: string, options: Dispatcher.DispatchOptions): void {
    this.#startedAt = this.#parts.clock.now()
    this.endpoint.begin()
    this.#startLimit(this.#timeout)
    this.#pool.dispatch(origin, options, this)
  }

  /** Ends it, for a reason that is not the instance's; the owner is told that it failed. */
  abort (error: Error): void {
    this.#blameless = true
    this.#abandon(error)
  }

  /**
   * The time of the whole call is over: the instance's fault too if it had at least half of that to itself.
   *
   * @param ms how long the call was to take. Milliseconds
   */
  expire (error: Error, ms: number, isLate: boolean): void {
    const silentSince = Math.max(this.#startedAt, this.#lastSentAt)
    this.#late = isLate
    this.#blameless = isLate || this.connection === undefined || this.#parts.clock.now() - silentSince < ms / 2
    this.#abandon(error)
  }

  #abandon (error: Error): void {
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
    this.#lastSentAt = this.#parts.clock.now()
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
      this.#limit?.stop()
      this.#record(outcomeOf(status, headers), status)
      // A subscriber of the user's own may have aborted the call.
      if (this.#over) return false
      this.#answered = !isRefusal(status) || this.#owner.accepts(this, status, headers)
      if (!this.#answered) this.#owner = new Swallow(this, this.#parts.limits)
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
    this.#limit?.stop()
    this.#record('success', status)
    if (this.#over) {
      // It ends with the error of the abort, which has come to the caller already.
      socket.on('error', () => {})
      return
    }
    this.#pool.release(this, 'spent')
    socket.once('close', () => this.#end('spent'))
    this.#owner.attemptUpgraded(status, headers, socket)
  }

  onError (error: Error): void {
    this.#stale = this.sent && !this.#answered && isBreak(error) && this.connection?.reused === true
    if (!this.#over) this.#recordFailure(error)
    if (this.#end(this.#aftermathOf(error))) this.#owner.attemptFailed(this, error)
  }

  #record (outcome: Outcome, status?: number, error?: Error): void {
    if (this.#recorded !== undefined) return
    const { clock, events } = this.#parts
    const now = clock.now()
    this.#recorded = outcome
    this.#recordedAt = now
    this.endpoint.record(outcome, this.#startedAt, now, this.#late ? 0 : undefined)
    if (!events.attempt.hasSubscribers) return
    const { instance } = this.endpoint
    const duration = now - this.#startedAt
    events.attempt.publish({ service: instance.name, instance, outcome, duration, status, error })
  }

  /** A response that breaks off was a success until then. */
  #recordFailure (error: Error): void {
    const isBlameless = this.#isBlamelessFor(error)
    if (this.#recorded === 'success' && isBreak(error) && !isBlameless) {
      this.endpoint.takeBack(this.#recordedAt, this.#parts.clock.now())
      this.#recorded = undefined
    }
    this.#record(isBlameless ? 'neutral' : 'failure', undefined, error)
  }

  #isBlamelessFor (error: Error): boolean {
    return this.#blameless || this.#stale || isFaultOfRequest(error) || isFaultOfHost(error)
  }

  /** Whether it had not ended before. */
  #end (aftermath: Aftermath): boolean {
    if (this.#over) return false
    this.#over = true
    this.#limit?.stop()
    this.endpoint.end()
    this.#pool.release(this, aftermath)
    return true
  }

  #startLimit (ms: number): void {
    this.#limit = this.#parts.limits.start(ms, isLate => this.#expire(isLate))
  }

  #expire (isLate: boolean): void {
    const left = this.#lastSentAt + this.#timeout - this.#parts.clock.now()
    if (left > 0) return this.#startLimit(left)
    const { name, id } = this.endpoint.instance
    this.#late = isLate
    // What waits in our own line was never given to the instance.
    this.#blameless = isLate || this.connection === undefined
    this.#abandon(new AttemptTimeoutError(name, id, this.#timeout))
  }

  /** A request that is refused for what it is leaves its connection untouched. */
  #aftermathOf (error: Error): Aftermath {
    if (this.sent) return this.#stale ? 'stale' : 'spent'
    return isFaultOfRequest(error) ? 'reusable' : 'unsent'
  }
}

/** Who is asked too often does well to say so, and is no better for saying it fast. */
function outcomeOf (status: number, headers: readonly Buffer[]): Outcome {
  if (status === 429) return 'neutral'
  if (!isRefusal(status)) return 'success'
  return isOfNoInstance(headers) ? 'neutral' : 'failure'
}

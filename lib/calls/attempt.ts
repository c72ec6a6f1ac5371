import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Endpoint } from '../balancing/endpoint.ts'
import { AttemptTimeoutError } from '../errors.ts'
import { AttemptReport, type AttemptReportParts } from './attempt-report.ts'
import type { Connection } from './connection.ts'
import type { Aftermath, InstancePool, PooledRequest } from './instance-pool.ts'
import type { Abort, LegacyHandler } from './legacy-handler.ts'
import type { Expiring, Limit, Limits } from './limits.ts'
import type { LingeringLoad } from './lingering-load.ts'
import type { Pools } from './pools.ts'
import { isFaultOfRequest, isRefusal } from './retry.ts'
import type { Reuse } from './reuse.ts'
import { Swallow } from './swallow.ts'

export interface AttemptParts extends AttemptReportParts {
  readonly pools: Pools
  readonly limits: Limits
  readonly lingeringLoad: LingeringLoad
}

/** Whom an attempt belongs to. It is told once of the end, and of nothing afterwards. */
export interface AttemptOwner {
  /** Gets the response while it comes in. */
  readonly handler: LegacyHandler
  /** Whether the handler gets a response that refuses the request. If not, the owner hears no more of the attempt. */
  accepts (attempt: Attempt, status: number, headers: readonly Buffer[]): boolean
  attemptCompleted (trailers: string[] | null): void
  attemptUpgraded (status: number, headers: Buffer[] | string[] | null, socket: Duplex): void
  attemptFailed (attempt: Attempt, error: Error): void
}

/** What an attempt may take. */
export interface AttemptLimits {
  /** Until the response headers. Milliseconds; 0: any time. */
  readonly timeout: number
  /** What set that. */
  readonly timeoutOption: string
}

/**
 * One try of a request on one instance. The time limit to the response headers starts anew with every part of the
 * body that goes out: an upload may take as long as it moves. So it does once if this process stood still when it was
 * over: the instance did not have that time.
 */
export class Attempt implements PooledRequest, Expiring {
  readonly endpoint: Endpoint
  connection: Connection | undefined
  readonly #parts: AttemptParts
  readonly #pool: InstancePool
  #owner: AttemptOwner
  readonly #options: Dispatcher.DispatchOptions
  readonly #limits: AttemptLimits
  readonly #startedAt: number
  readonly #report: AttemptReport
  /** Set once the request is being written. */
  #abort: Abort | undefined
  #status: number | undefined
  #over = false
  #wasLate = false
  #limit: Limit | undefined

  /** @param now the clock's time: it is started at once */
  constructor (
    parts: AttemptParts, endpoint: Endpoint, owner: AttemptOwner, options: Dispatcher.DispatchOptions,
    limits: AttemptLimits, now: number
  ) {
    this.endpoint = endpoint
    this.#parts = parts
    this.#pool = parts.pools.of(endpoint)
    this.#owner = owner
    this.#options = options
    this.#limits = limits
    this.#startedAt = now
    this.#report = new AttemptReport(parts, endpoint, options.body, now)
  }

  /** Whether any of the request may have reached the instance. */
  get sent (): boolean { return this.#abort !== undefined }

  /** Whether the owner's handler has begun to get the response. */
  get answered (): boolean { return this.#status !== undefined }

  /** Of the response, if the owner's handler gets it. */
  get status (): number | undefined { return this.#status }

  /** Whether it failed for a connection that had been closed before: that says little of the instance. */
  get stale (): boolean { return this.#report.stale }

  /** `origin`: by which the caller knows the service. */
  start (origin: string): void {
    this.endpoint.begin()
    this.#limit = this.#parts.limits.start(this.#limits.timeout, this, this.#startedAt)
    this.#pool.dispatch(origin, this.#options, this)
    if (this.connection?.reused === false) setImmediate(() => this.#report.connecting())
  }

  /** Ends it, for a reason that is not the instance's; the owner is told that it failed. */
  abort (error: Error): void {
    this.#report.abandoned(error)
    this.#abandon(error)
  }

  /** Ends it for a limit of so many milliseconds that was reached. */
  timeOut (error: Error, ms: number, isLate: boolean): void {
    this.#report.timedOut(error, ms, isLate)
    this.#abandon(error)
  }

  expire (isLate: boolean): void {
    const { clock, limits } = this.#parts
    const { timeout, timeoutOption } = this.#limits
    const now = clock.now()
    // Only once: where this process always stands still, that must have an end.
    const startsAnew = isLate && !this.#wasLate
    const left = startsAnew ? timeout : this.#report.lastSentAt + timeout - now
    this.#wasLate ||= isLate
    if (left > 0) {
      this.#limit = limits.start(left, this, now)
      return
    }
    const { name, id } = this.endpoint.instance
    this.timeOut(new AttemptTimeoutError(name, id, timeout, timeoutOption), timeout, isLate)
  }

  #abandon (error: Error): void {
    if (this.#abort === undefined) this.#fail(error, 'unsent')
    else this.#abort(error)
  }

  onConnect (abort: Abort): void {
    this.#abort = abort
    this.#report.written()
  }

  onBodySent (chunkSize: number, totalBytesSent: number): void {
    this.#report.sent()
    this.#owner.handler.onBodySent?.(chunkSize, totalBytesSent)
  }

  onRequestSent (): void {
    this.#report.allSent()
    this.#owner.handler.onRequestSent?.()
  }

  onResponseStarted (): void {
    this.#owner.handler.onResponseStarted?.()
  }

  onHeaders (status: number, headers: Buffer[], resume: () => void, statusText: string): boolean {
    if (status >= 200) {
      this.#limit?.stop()
      this.#report.answered(status, headers, this.#reuse)
      // A subscriber of the user's own may have aborted the call.
      if (this.#over) return false
      if (!isRefusal(status) || this.#owner.accepts(this, status, headers)) this.#status = status
      else this.#owner = new Swallow(this, this.#parts.limits)
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
    this.#status = status
    this.#report.upgraded(status)
    if (this.#over) {
      // It ends with the error of the abort, which has come to the caller already.
      socket.on('error', () => {})
      return
    }
    socket.once('close', () => this.#end('spent'))
    this.#owner.attemptUpgraded(status, headers, socket)
    this.#pool.release(this, 'spent')
  }

  onError (error: Error): void {
    if (this.#over) return
    this.#report.failed(error, this.#reuse)
    this.#fail(error, this.#aftermathOf(error))
  }

  #fail (error: Error, aftermath: Aftermath): void {
    if (this.#end(aftermath)) this.#owner.attemptFailed(this, error)
  }

  /** Set if its connection was used before. */
  get #reuse (): Reuse | undefined {
    return this.connection?.reused === true ? this.#pool.reuse : undefined
  }

  /** Whether it had not ended before. */
  #end (aftermath: Aftermath): boolean {
    if (this.#over) return false
    this.#over = true
    this.#limit?.stop()
    this.#endLoad()
    this.#pool.release(this, aftermath)
    return true
  }

  #endLoad (): void {
    const { countsUntil } = this.#report
    if (countsUntil === -Infinity) this.endpoint.end()
    else this.#parts.lingeringLoad.end(this.endpoint, countsUntil)
  }

  /** A request that is refused for what it is leaves its connection untouched. */
  #aftermathOf (error: Error): Aftermath {
    if (this.sent) return this.stale ? 'stale' : 'spent'
    return isFaultOfRequest(error) ? 'reusable' : 'unsent'
  }
}

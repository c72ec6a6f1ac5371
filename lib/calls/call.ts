import type { AsyncResource } from 'node:async_hooks'
import type { Duplex } from 'node:stream'
import { errors, type Dispatcher } from 'undici'
import type { Endpoint } from '../balancing/endpoint.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import { DeadlineError, RefusedError } from '../errors.ts'
import { Attempt, type AttemptOwner, type AttemptParts } from './attempt.ts'
import type { Balance } from './balance.ts'
import { callerContext } from './caller-context.ts'
import { tellEnd, tellPick, tellRetry, type CallEvents } from './events.ts'
import { Itinerary, type ItineraryParts } from './itinerary.ts'
import type { LegacyHandler } from './legacy-handler.ts'
import type { Expiring, Limit } from './limits.ts'
import type { Going } from './line.ts'
import { Repeats, type RepeatsParts } from './repeats.ts'
import { afterFailure, isBreak, isOfNoInstance } from './retry.ts'
import type { Route } from './route.ts'
import type { RunningCalls } from './running.ts'
import { userErrorOf } from './user-errors.ts'
import { Wait, type WaitOwner, type WaitParts } from './wait.ts'
import { watchBody, withWatchedParts } from './watch-body.ts'

export interface CallParts extends ItineraryParts, AttemptParts, RepeatsParts, WaitParts {
  readonly running: RunningCalls
  readonly events: CallEvents
}

/**
 * One request of the user's, over all its attempts. The user's handler sees one request: a single `onConnect()`, early,
 * so that it can abort at any time; the response of one attempt; and exactly one end.
 */
export class Call implements AttemptOwner, Expiring, WaitOwner {
  readonly handler: LegacyHandler
  place = -1
  readonly #parts: CallParts
  readonly #route: Route
  readonly #balance: Balance
  readonly #options: Dispatcher.DispatchOptions
  readonly #itinerary: Itinerary
  readonly #context: AsyncResource
  #attempt: Attempt | undefined
  /** What the next attempt follows on. */
  #failed: { readonly attempt: Attempt, readonly error: Error } | undefined
  #discovering = false
  /** While all connections are in use. */
  #wait: Wait | undefined
  /** Made when an attempt that was sent has failed. */
  #repeats: Repeats | undefined
  #releaseBody: (() => void) | undefined
  #limit: Limit | undefined
  /** Aborted by the user, the deadline or a broken body: no further attempt. */
  #aborted = false
  #ended = false

  constructor (
    parts: CallParts, route: Route, balance: Balance, options: Dispatcher.DispatchOptions, handler: LegacyHandler
  ) {
    this.#parts = parts
    this.#route = route
    this.#balance = balance
    this.#options = withWatchedParts(options, this, balance.retries > 0)
    this.#itinerary = new Itinerary(parts, route, balance, this.#options)
    this.handler = handler
    this.#context = callerContext(handler)
  }

  /** Whether it waits to hear of instances. */
  get isDiscovering (): boolean { return this.#discovering }

  start (): void {
    this.#parts.running.add(this)
    try {
      this.handler.onConnect(reason => this.abort(reason ?? new errors.RequestAbortedError()))
    } catch (error) {
      this.#fail(error as Error)
    }
    if (this.#ended) return
    const now = this.#parts.clock.now()
    this.#parts.budget.deposit(now)
    this.#releaseBody = watchBody(this.#options.body, this)
    this.#limit = this.#parts.limits.start(this.#balance.leftAt(now), this, now)
    this.#proceed(now)
  }

  /** Ends it in whatever it is doing; the handler gets the error. */
  abort (error: Error): void {
    if (this.#ended) return
    this.#aborted = true
    if (this.#attempt === undefined) this.#fail(error)
    else this.#attempt.abort(error)
  }

  /** The deadline is reached. */
  expire (isLate: boolean): void {
    const { deadline, deadlineOption } = this.#balance
    const error = new DeadlineError(this.#route.service, deadline, deadlineOption)
    this.#aborted = true
    if (this.#attempt === undefined) this.#fail(error)
    else this.#attempt.timeOut(error, deadline, isLate)
  }

  attemptCompleted (trailers: string[] | null): void {
    if (this.#ended) return
    this.#end()
    try {
      this.handler.onComplete?.(trailers)
    } catch (error) {
      this.handler.onError(error as Error)
    }
  }

  attemptUpgraded (status: number, headers: Buffer[] | string[] | null, socket: Duplex): void {
    this.#end()
    this.handler.onUpgrade?.(status, headers, socket)
  }

  attemptFailed (attempt: Attempt, error: Error): void {
    if (this.#ended) return
    const { sent, answered } = attempt
    this.#attempt = undefined
    this.#failed = { attempt, error }
    if (this.#aborted) return this.#fail(error)
    const now = this.#parts.clock.now()
    this.#itinerary.failed(attempt, error)
    switch (afterFailure({ error, sent, answered, unsent: this.#itinerary.failures.unsent })) {
      case 'elsewhere': return this.#continue(now)
      case 'repeat': return this.#repeat(attempt, error, now)
      case 'unreachable': return this.#fail(this.#itinerary.unserved() ?? error)
      case 'final': return this.#fail(error)
    }
  }

  /** What refuses the request is swallowed if another instance may be asked. */
  accepts (attempt: Attempt, status: number, headers: readonly Buffer[]): boolean {
    if (this.#aborted || isOfNoInstance(headers) || !this.#itinerary.hasAnother(this.#parts.clock.now())) return true
    const repeats = this.#claimRepeat()
    if (repeats === undefined) return true
    this.#attempt = undefined
    const error = new RefusedError(attempt.endpoint.instance.id, status)
    this.#itinerary.failures.refused(error)
    this.#failed = { attempt, error }
    repeats.backOff(() => this.#continue())
    return false
  }

  goOn (): Going {
    this.#continue()
    if (this.#wait !== undefined) return 'waits'
    return this.#attempt === undefined ? 'ended' : 'went'
  }

  waitedInVain (error: Error): void {
    this.#fail(this.#itinerary.failures.whenOthersAreBusy(error))
  }

  #repeat (attempt: Attempt, error: Error, now: number): void {
    const repeats = attempt.stale || this.#itinerary.hasAnother(now) ? this.#claimRepeat() : undefined
    if (repeats === undefined) return this.#fail(error)
    if (isBreak(error)) repeats.backOffAfterBreak(() => this.#continue())
    else repeats.backOff(() => this.#continue())
  }

  #claimRepeat (): Repeats | undefined {
    this.#repeats ??= new Repeats(this.#parts, this.#options, this.#balance.retries)
    return this.#repeats.claim() ? this.#repeats : undefined
  }

  /** From whatever callback. */
  #continue (now = this.#parts.clock.now()): void {
    this.#context.runInAsyncScope(this.#proceed, this, now)
  }

  #proceed (now: number): void {
    if (this.#ended) return
    const instances = this.#itinerary.peek()
    if (instances === undefined) this.#discover()
    else this.#attemptAt(instances, now)
  }

  #discover (): void {
    this.#endWait()
    this.#discovering = true
    this.#itinerary.discover().then(
      instances => {
        this.#discovering = false
        if (!this.#ended) this.#attemptAt(instances, this.#parts.clock.now())
      },
      error => { this.#fail(error) })
  }

  #attemptAt (instances: readonly ServiceInstance[], now: number): void {
    try {
      const endpoint = this.#itinerary.next(instances, now)
      // A strategy of the user's own may have aborted it, or another call that made room for it.
      if (this.#ended || this.#attempt !== undefined) return
      if (endpoint === undefined) return this.#waitForRoom(now)
      this.#endWait()
      this.#tell(endpoint)
      if (this.#ended) return // By a subscriber.
      this.#attempt = new Attempt(this.#parts, endpoint, this, this.#options, this.#balance, now)
    } catch (error) {
      return this.#fail(typeof this.#balance.strategy === 'function' ? userErrorOf(error) : error as Error)
    }
    this.#attempt.start(this.#route.originFor(this.#attempt.endpoint.instance))
  }

  #waitForRoom (now: number): void {
    if (this.#wait !== undefined) return
    this.#wait = new Wait(this.#parts, this, this.#itinerary, this.#balance)
    this.#wait.start(now)
  }

  #endWait (): void {
    this.#wait?.end()
    this.#wait = undefined
  }

  /** Of a retry only now that there is an instance to go on to. */
  #tell ({ instance }: Endpoint): void {
    const { events } = this.#parts
    if (this.#failed !== undefined) tellRetry(events, this.#failed.attempt, this.#failed.error)
    this.#failed = undefined
    tellPick(events, instance, this.#itinerary.tried.length - 1)
  }

  #fail (error: Error): void {
    if (this.#ended) return
    this.#end(error)
    this.handler.onError(error)
  }

  #end (error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    const last = this.#attempt ?? this.#failed?.attempt
    tellEnd(this.#parts.events, this.#route.service, last, error, this.#aborted)
    this.#attempt = undefined
    this.#endWait()
    this.#parts.running.delete(this)
    this.#repeats?.cancel()
    this.#releaseBody?.()
    this.#limit?.stop()
  }
}

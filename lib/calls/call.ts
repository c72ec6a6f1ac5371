import type { Duplex } from 'node:stream'
import { errors, type Dispatcher } from 'undici'
import type { Endpoint } from '../balancing/endpoint.ts'
import type { PickContext } from '../balancing/strategy.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import { instanceKey, type InstanceSource } from '../discovery/source.ts'
import { DeadlineError, InstanceLeftError, RefusedError } from '../errors.ts'
import { Attempt, type AttemptOwner } from './attempt.ts'
import type { Balance } from './balance.ts'
import { holdBody } from './hold-body.ts'
import type { LegacyHandler } from './legacy-handler.ts'
import type { Limit, Limits } from './limits.ts'
import type { Pools } from './pools.ts'
import { Repeats, type RepeatsParts } from './repeats.ts'
import { ReplayableBody, withReplayableBody } from './replay.ts'
import { afterFailure, isBreak, isOfNoInstance } from './retry.ts'
import type { Route, Scope } from './route.ts'
import type { RunningCalls } from './running.ts'
import { noneFound, noneServed } from './unserved.ts'

export interface CallParts extends RepeatsParts {
  readonly source: InstanceSource
  readonly pools: Pools
  readonly running: RunningCalls
  readonly limits: Limits
}

/**
 * One request of the user's, over all its attempts. The user's handler sees one request: a single `onConnect()`, early,
 * so that it can abort at any time; the response of one attempt; and exactly one end.
 */
export class Call implements PickContext, AttemptOwner {
  readonly handler: LegacyHandler
  readonly tried: Endpoint[] = []
  place = -1
  readonly #parts: CallParts
  readonly #route: Route
  readonly #scope: Scope
  readonly #balance: Balance
  readonly #options: Dispatcher.DispatchOptions
  #attempt: Attempt | undefined
  #discovering = false
  /** Made when an attempt that was sent has failed. */
  #repeats: Repeats | undefined
  /** Attempts that did not get as far as sending. */
  #unsent = 0
  /** Where it met a connection that had been closed meanwhile: may be tried once more if there is nobody else. */
  #stale: Endpoint | undefined
  #lastError: Error | undefined
  /** What became of the last attempt that was sent: nobody knows whether it was carried out. */
  #lost: Error | undefined
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
    this.#scope = route.scopeOf(balance)
    this.#balance = balance
    this.#options = balance.retries === 0 ? options : withReplayableBody(options)
    this.handler = handler
  }

  get service (): string { return this.#route.service }
  get key (): string | undefined { return this.#balance.key }

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
    this.#parts.budget.deposit()
    this.#holdBody()
    this.#startDeadline()
    this.#proceed()
  }

  /** Ends it in whatever it is doing; the handler gets the error. */
  abort (error: Error): void {
    if (this.#ended) return
    this.#aborted = true
    if (this.#attempt === undefined) this.#fail(error)
    else this.#attempt.abort(error)
  }

  attemptCompleted (trailers: string[] | null): void {
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
    this.#lastError = error
    if (sent) this.#lost = error
    else this.#unsent++
    if (this.#aborted) return this.#fail(error)
    switch (afterFailure({ error, sent, answered, unsent: this.#unsent })) {
      case 'elsewhere': return this.#proceed()
      case 'repeat': return this.#repeat(attempt, error)
      case 'unreachable': return this.#fail(this.#unserved(error))
      case 'final': return this.#fail(error)
    }
  }

  /** What refuses the request is swallowed if another instance may be asked. */
  accepts ({ endpoint: { instance } }: Attempt, status: number, headers: readonly Buffer[]): boolean {
    if (this.#aborted || isOfNoInstance(headers) || !this.#hasAnother()) return true
    const repeats = this.#claimRepeat()
    if (repeats === undefined) return true
    this.#attempt = undefined
    this.#lastError = new RefusedError(instance.id, status)
    repeats.backOff(() => this.#proceed())
    return false
  }

  /** Who waits there for a connection may wait long, and for what is about to end. */
  instanceLeft (attempt: Attempt): void {
    if (this.#hasAnother()) attempt.abort(new InstanceLeftError(attempt.endpoint.instance.id))
  }

  #repeat ({ endpoint, stale }: Attempt, error: Error): void {
    if (stale) this.#stale = endpoint
    const repeats = stale || this.#hasAnother() ? this.#claimRepeat() : undefined
    if (repeats === undefined) this.#fail(error)
    else if (isBreak(error)) repeats.backOffAfterBreak(() => this.#proceed())
    else repeats.backOff(() => this.#proceed())
  }

  #claimRepeat (): Repeats | undefined {
    this.#repeats ??= new Repeats(this.#parts, this.#options, this.#balance.retries)
    return this.#repeats.claim() ? this.#repeats : undefined
  }

  /** Whether there is an instance that was not tried, as far as is known. */
  #hasAnother (): boolean {
    const instances = this.#parts.source.peek(this.service, this.#scope.query)
    const tried = this.tried.map(({ instance }) => instanceKey(instance))
    return instances?.some(instance => !tried.includes(instanceKey(instance))) ?? true
  }

  #proceed (): void {
    if (this.#ended) return
    const instances = this.#parts.source.peek(this.service, this.#scope.query)
    if (instances === undefined) this.#wait()
    else this.#attemptAt(instances)
  }

  #wait (): void {
    this.#discovering = true
    this.#parts.source.discover(this.service, this.#scope.query).then(
      instances => {
        this.#discovering = false
        if (!this.#ended) this.#attemptAt(instances)
      },
      error => { this.#fail(error) })
  }

  #attemptAt (instances: readonly ServiceInstance[]): void {
    const endpoint = this.#choose(instances)
    if (endpoint === undefined) return
    this.tried.push(endpoint)
    this.#attempt = new Attempt(this.#parts, endpoint, this, this.#balance.timeout)
    this.#attempt.start(this.#route.originFor(endpoint.instance), this.#options)
  }

  /** The place for an attempt; without one, the call has failed. */
  #choose (instances: readonly ServiceInstance[]): Endpoint | undefined {
    try {
      const endpoint = this.#pick(instances) ?? this.#pickAgain(instances)
      if (endpoint === undefined) throw this.#noInstance(instances)
      return endpoint
    } catch (error) {
      this.#fail(error as Error)
      return undefined
    }
  }

  #pick (instances: readonly ServiceInstance[]): Endpoint | undefined {
    return this.#scope.group.pick(instances, this.#balance.strategy, this)
  }

  /** With nobody else left, the one whose connection was stale: the next connection is a new one. */
  #pickAgain (instances: readonly ServiceInstance[]): Endpoint | undefined {
    if (this.#stale === undefined) return undefined
    this.tried.splice(this.tried.indexOf(this.#stale), 1)
    this.#stale = undefined
    return this.#pick(instances)
  }

  #holdBody (): void {
    const { body } = this.#options
    if (typeof body !== 'object' || body === null) return
    this.#releaseBody = body instanceof ReplayableBody
      ? () => body.close()
      : holdBody(body, error => this.abort(error))
  }

  #startDeadline (): void {
    const { deadline, endsAt } = this.#balance
    const left = endsAt === undefined ? deadline : Math.max(1, endsAt - this.#parts.clock.now())
    this.#limit = this.#parts.limits.start(left, () => {
      this.abort(new DeadlineError(this.service, deadline))
    })
  }

  #fail (error: Error): void {
    if (this.#ended) return
    this.#end()
    this.handler.onError(error)
  }

  #end (): void {
    this.#ended = true
    this.#attempt = undefined
    this.#parts.running.delete(this)
    this.#repeats?.cancel()
    this.#releaseBody?.()
    this.#limit?.stop()
  }

  #noInstance (instances: readonly ServiceInstance[]): Error {
    if (this.#lastError !== undefined) return this.#unserved(this.#lastError)
    return noneFound(this.service, this.#scope.query, instances.length)
  }

  #unserved (error: Error): Error {
    return this.#lost ?? noneServed(this.service, this.tried.length, error, this.#unsent)
  }
}

import type { Duplex } from 'node:stream'
import { errors, type Dispatcher } from 'undici'
import type { Endpoint } from '../balancing/endpoint.ts'
import type { PickContext } from '../balancing/strategy.ts'
import type { Clock } from '../clock.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import type { InstanceSource } from '../discovery/source.ts'
import { AttemptTimeoutError, DeadlineError, NoInstanceError } from '../errors.ts'
import { Attempt, type AttemptOwner } from './attempt.ts'
import type { Balance } from './balance.ts'
import { holdBody } from './hold-body.ts'
import type { InstancePool } from './instance-pool.ts'
import type { LegacyHandler } from './legacy-handler.ts'
import { startLimit } from './limit.ts'
import type { Pools } from './pools.ts'
import { afterFailure } from './retry.ts'
import type { Route, Scope } from './route.ts'
import type { RunningCalls } from './running.ts'

export interface CallParts {
  readonly source: InstanceSource
  readonly pools: Pools
  readonly clock: Clock
  readonly running: RunningCalls
}

/**
 * One request of the user's, over all its attempts. The user's handler sees one request: a single `onConnect()`, early,
 * so that it can abort at any time; the response of one attempt; and exactly one end.
 */
export class Call implements PickContext, AttemptOwner {
  readonly handler: LegacyHandler
  readonly tried: Endpoint[] = []
  readonly #parts: CallParts
  readonly #route: Route
  readonly #scope: Scope
  readonly #balance: Balance
  readonly #options: Dispatcher.DispatchOptions
  #attempt: Attempt | undefined
  #lastError: Error | undefined
  #releaseBody: (() => void) | undefined
  #stopDeadline: (() => void) | undefined
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
    this.#options = options
    this.handler = handler
  }

  get service (): string { return this.#route.service }
  get key (): string | undefined { return this.#balance.key }

  /** Whether it waits to hear of instances. */
  get isWaiting (): boolean { return this.#attempt === undefined }

  start (): void {
    this.#parts.running.add(this)
    try {
      this.handler.onConnect(reason => this.abort(reason ?? new errors.RequestAbortedError()))
    } catch (error) {
      this.#fail(error as Error)
    }
    if (this.#ended) return
    this.#releaseBody = holdBody(this.#options.body, error => this.abort(error))
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

  attemptFailed ({ sent }: Attempt, error: Error): void {
    if (this.#ended) return
    this.#attempt = undefined
    this.#lastError = error
    const verdict = this.#aborted ? 'final' : afterFailure({ error, sent, tried: this.tried.length })
    if (verdict === 'retry') this.#proceed()
    else this.#fail(verdict === 'final' ? error : this.#unreachable(error))
  }

  #proceed (): void {
    const instances = this.#parts.source.peek(this.service, this.#scope.query)
    if (instances === undefined) this.#wait()
    else this.#attemptAt(instances)
  }

  #wait (): void {
    this.#parts.source.discover(this.service, this.#scope.query).then(
      instances => { if (!this.#ended) this.#attemptAt(instances) },
      error => { this.#fail(error) })
  }

  #attemptAt (instances: readonly ServiceInstance[]): void {
    const place = this.#choose(instances)
    if (place === undefined) return
    this.tried.push(place.endpoint)
    this.#attempt = new Attempt(place.endpoint, place.pool, this, this.#balance.timeout, this.#parts.clock)
    this.#attempt.start(this.#options)
  }

  /** The place for an attempt; without one, the call has failed. */
  #choose (instances: readonly ServiceInstance[]): { endpoint: Endpoint, pool: InstancePool } | undefined {
    try {
      const endpoint = this.#scope.group.pick(instances, this.#balance.strategy, this)
      if (endpoint === undefined) throw this.#noInstance(instances)
      return { endpoint, pool: this.#parts.pools.of(endpoint, this.#route.originFor(endpoint.instance)) }
    } catch (error) {
      this.#fail(error as Error)
      return undefined
    }
  }

  #startDeadline (): void {
    const { deadline, endsAt } = this.#balance
    const left = endsAt === undefined ? deadline : Math.max(1, endsAt - this.#parts.clock.now())
    this.#stopDeadline = startLimit(this.#parts.clock, left, () => {
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
    this.#releaseBody?.()
    this.#stopDeadline?.()
  }

  #noInstance (instances: readonly ServiceInstance[]): Error {
    if (this.#lastError !== undefined) return this.#unreachable(this.#lastError)
    const { tag, datacenter } = this.#scope.query
    if (instances.length > 0) return new NoInstanceError(this.service, 'the strategy chose none')
    const of = (tag === undefined ? '' : ` with the tag ${tag}`) +
      (datacenter === undefined ? '' : ` in the datacenter ${datacenter}`)
    return new NoInstanceError(this.service, `none${of} is registered and healthy`)
  }

  /** A limit that was reached keeps its own error. */
  #unreachable (error: Error): Error {
    if (error instanceof AttemptTimeoutError) return error
    const why = error.message === '' && 'code' in error ? String(error.code) : error.message
    return new NoInstanceError(this.service, `of ${this.tried.length} tried none could be connected to, ${why}`,
      { cause: error })
  }
}

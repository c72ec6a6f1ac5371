import { Dispatcher, errors, getGlobalDispatcher } from 'undici'
import { ClosedError, NotAllowedError } from '../errors.ts'
import { Balance, parseBalance, type BalanceOptions } from './balance.ts'
import { Call, type CallParts } from './call.ts'
import { legacyHandler, type LegacyHandler } from './legacy-handler.ts'
import type { Routes } from './routes.ts'
import { RunningCalls } from './running.ts'

/** A request, with what is particular to this call. */
export interface BalancedDispatchOptions extends Dispatcher.DispatchOptions {
  balance?: BalanceOptions | Balance | undefined
  /** The call began at an ordinary host: no host of it is a service, redirected to or not. Default `false`. */
  outside?: boolean
}

export interface ConsulDispatcherParts extends Omit<CallParts, 'running'> {
  readonly routes: Routes
  readonly defaults: Balance
}

/**
 * Sends requests for services to their instances, and every other one where undici sends it by default. Works wherever
 * undici takes a dispatcher: `request()`, `stream()`, `pipeline()`, `upgrade()`, `connect()`, `compose()`, `fetch()`.
 *
 * It sees single requests, not where a call began: whoever follows redirects through it, such as undici's or Node's
 * own `fetch()`, may be led from an ordinary host to a service. Our `fetch()` and `request()` are not.
 */
export class ConsulDispatcher extends Dispatcher {
  readonly #parts: ConsulDispatcherParts & CallParts
  /** undici's global dispatcher before anyone can have put this one in its place. */
  readonly #original = getGlobalDispatcher()
  /** The global dispatcher, once it has shown to be this one or one in front of it. */
  #leadsHere: Dispatcher | undefined
  #passing = false
  #closed = false

  constructor (parts: ConsulDispatcherParts) {
    super()
    this.#parts = { ...parts, running: new RunningCalls() }
  }

  override dispatch (options: BalancedDispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const receiver = legacyHandler(handler)
    let call: Call
    try {
      if (this.#closed) throw new ClosedError('A call')
      const route = options.outside === true ? undefined : this.#parts.routes.find(originOf(options))
      if (route === undefined) return this.#passOn(options, receiver as Dispatcher.DispatchHandler)
      if (!route.allowed) throw new NotAllowedError(route.service)
      assertUpgradable(options, receiver)
      call = new Call(this.#parts, route, this.#balanceOf(options), options, receiver)
    } catch (error) {
      receiver.onError(error as Error)
      return false
    }
    call.start()
    return true
  }

  /** New calls fail. Resolves when the running ones have ended; those that wait to hear of instances fail. */
  override close (): Promise<void>
  override close (callback: () => void): void
  override close (callback?: () => void): Promise<void> | void {
    const { running, pools, lingeringLoad } = this.#parts
    this.#closed = true
    running.abortWaiting(new ClosedError('A call'))
    const ended = running.ended().then(() => {
      lingeringLoad.close()
      return pools.close()
    })
    return answer(ended, callback)
  }

  /** New calls fail, and so do those that run. */
  override destroy (error?: Error | null): Promise<void>
  override destroy (callback: () => void): void
  override destroy (error: Error | null, callback: () => void): void
  override destroy (error?: Error | null | (() => void), callback?: () => void): Promise<void> | void {
    if (typeof error === 'function') return this.destroy(null, error)
    const { running, pools, lingeringLoad } = this.#parts
    this.#closed = true
    running.abort(error ?? new errors.ClientDestroyedError())
    lingeringLoad.close()
    return answer(pools.destroy(), callback)
  }

  /** The global dispatcher may be that of Node's own undici, which in Node 20 and 22 knows legacy handlers only. */
  #passOn (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const global = getGlobalDispatcher()
    if (this.#passing) this.#leadsHere = global
    const request = withoutDispatcher(options)
    if (global === this.#leadsHere) return this.#original.dispatch(request, handler)
    this.#passing = true
    try {
      return global.dispatch(request, handler)
    } finally {
      this.#passing = false
    }
  }

  #balanceOf ({ balance }: BalancedDispatchOptions): Balance {
    if (balance === undefined) return this.#parts.defaults
    return balance instanceof Balance ? balance : parseBalance(balance, this.#parts.defaults)
  }
}

function originOf ({ origin }: Dispatcher.DispatchOptions): string {
  if (typeof origin === 'string') return origin
  if (origin instanceof URL) return origin.origin
  throw new errors.InvalidArgumentError('a request needs an origin: a string or a URL')
}

/** undici's own `request()` is no such handler: nothing would ever tell it of its connection. */
function assertUpgradable (options: Dispatcher.DispatchOptions, { onUpgrade }: LegacyHandler): void {
  if (typeof onUpgrade !== 'function') refuseUpgrade(options)
}

/** A request that can take no upgrade must ask for none: it would wait for ever. */
export function refuseUpgrade ({ upgrade, method }: { upgrade?: unknown, method?: string }): void {
  const isUpgrade = method === 'CONNECT' || (upgrade != null && upgrade !== false && upgrade !== '')
  if (isUpgrade) throw new errors.InvalidArgumentError('invalid onUpgrade method')
}

/** undici's `request()` and the like say which dispatcher they go through; that of Node 26 refuses to hear it. */
function withoutDispatcher (options: Dispatcher.DispatchOptions): Dispatcher.DispatchOptions {
  return 'dispatcher' in options ? { ...options, dispatcher: undefined } as Dispatcher.DispatchOptions : options
}

function answer (done: Promise<void>, callback: (() => void) | undefined): Promise<void> | void {
  if (callback === undefined) return done
  done.then(callback)
}

import { Dispatcher, fetch as undiciFetch, Request, type Response } from 'undici'
import type { Clock } from '../clock.ts'
import { parseBalance, type Balance, type BalanceOptions } from './balance.ts'
import type { BalancedDispatchOptions, ConsulDispatcher } from './dispatcher.ts'
import { ownRequest, type AnyRequestInit } from './foreign.ts'
import type { Route } from './route.ts'
import type { Routes } from './routes.ts'

/** As in the Fetch standard, with what is particular to this call. */
export interface FetchInit extends AnyRequestInit {
  balance?: BalanceOptions | undefined
}

/** `fetch()` of the Fetch standard for requests that go out, with service names in URLs. */
export type Fetch = (input: string | URL | Request | globalThis.Request, init?: FetchInit) => Promise<Response>

export interface FetchParts {
  readonly routes: Routes
  readonly dispatcher: ConsulDispatcher
  readonly defaults: Balance
  readonly clock: Clock
}

/**
 * The first URL decides: a call to an ordinary host is undici's alone, so that no redirect from there reaches a
 * service. A dispatcher in `init` goes before ours.
 */
export function createFetch ({ routes, dispatcher, defaults, clock }: FetchParts): Fetch {
  return async function fetch (input, init) {
    const balance = init?.balance === undefined ? defaults : parseBalance(init.balance, defaults)
    const [target, request] = ownRequest(input, init)
    const route = routeOf(target, routes)
    if (route === undefined) return undiciFetch(target, request)
    const through = request?.dispatcher ?? dispatcher
    const bound = balance === defaults && balance.deadline === 0
      ? through
      : new BoundDispatcher(through, route, balance.startingAt(clock.now()), routes)
    try {
      return await undiciFetch(target, { ...request, dispatcher: bound })
    } catch (error) {
      throw ownError(error)
    }
  }
}

function routeOf (input: string | URL | Request, routes: Routes): Route | undefined {
  const text = input instanceof Request ? input.url : String(input)
  return URL.canParse(text) ? routes.findFor(new URL(text)) : undefined
}

/** One of ours comes out of fetch only as the cause of another one. */
function ownError (error: unknown): unknown {
  const cause = error instanceof TypeError ? error.cause : undefined
  const isOurs = cause instanceof Error && 'code' in cause && String(cause.code).startsWith('FST_CONSUL_')
  return isOurs ? cause : error
}

/** Gives every request of one fetch, redirected ones too, what its caller asked for: fetch itself drops it. */
class BoundDispatcher extends Dispatcher {
  readonly #inner: Dispatcher
  readonly #route: Route
  readonly #balance: Balance
  readonly #routes: Routes

  constructor (inner: Dispatcher, route: Route, balance: Balance, routes: Routes) {
    super()
    this.#inner = inner
    this.#route = route
    this.#balance = balance
    this.#routes = routes
  }

  override dispatch (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const isSame = this.#routes.find(String(options.origin))?.service === this.#route.service
    const balanced: BalancedDispatchOptions = options
    balanced.balance = isSame ? this.#balance : this.#balance.elsewhere()
    return this.#inner.dispatch(balanced, handler)
  }
}

import {
  type Dispatcher, fetch as undiciFetch, getGlobalDispatcher, Request, type RequestInit, type Response
} from 'undici'
import type { Clock } from '../clock.ts'
import { parseBalance, type Balance, type BalanceOptions } from './balance.ts'
import type { BalancedDispatchOptions, ConsulDispatcher } from './dispatcher.ts'
import { ownRequest, type AnyRequestInit } from './foreign.ts'
import { plainOriginOf } from './plain-origin.ts'
import type { Route } from './route.ts'
import type { Routes } from './routes.ts'
import { isUserError } from './user-errors.ts'

/** As in the Fetch standard, with what is particular to this call. */
export interface FetchInit extends AnyRequestInit {
  balance?: BalanceOptions | undefined
}

/**
 * `fetch()` of the Fetch standard for requests that go out, with service names in URLs. It stands wherever the type of
 * the global one is asked for. The response is one of undici's, and has all that those of the global `fetch` have.
 */
export type Fetch = (
  input: string | URL | Request | globalThis.Request, init?: FetchInit
) => Promise<Response & globalThis.Response>

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
    if (route === undefined) return undiciFetch(target, outside(target, request))
    const through = sendingOnce(request?.dispatcher ?? dispatcher, init?.body)
    const bound = balance === defaults && balance.deadline === 0
      ? through
      : balancing(through, route, balance.startingAt(clock.now()), routes)
    try {
      return await undiciFetch(target, { ...request, dispatcher: bound })
    } catch (error) {
      throw ownError(error)
    }
  }
}

function routeOf (input: string | URL | Request, routes: Routes): Route | undefined {
  const text = input instanceof Request ? input.url : String(input)
  const origin = plainOriginOf(text)
  if (origin !== undefined) return routes.find(origin)
  return URL.canParse(text) ? routes.findFor(new URL(text)) : undefined
}

/** One of ours comes out of fetch only as the cause of another one, and so does one of a strategy function. */
function ownError (error: unknown): unknown {
  const cause = error instanceof TypeError ? error.cause : undefined
  const isOurs = cause instanceof Error && 'code' in cause && String(cause.code).startsWith('FST_CONSUL_')
  return isOurs || isUserError(cause) ? cause : error
}

/** A call to an ordinary host stays away from services also where our dispatcher is behind the one it goes through. */
function outside (target: string | URL | Request, init: RequestInit | undefined): RequestInit | undefined {
  // A Request may hold a dispatcher of its own, which cannot be seen from here.
  if (target instanceof Request && init?.dispatcher === undefined) return init
  const through = init?.dispatcher ?? getGlobalDispatcher()
  return { ...init, dispatcher: marking(through, options => { options.outside = true }) }
}

function balancing (through: Dispatcher, { service }: Route, balance: Balance, routes: Routes): Dispatcher {
  return marking(through, options => {
    const isSame = routes.find(String(options.origin))?.service === service
    options.balance = isSame ? balance : balance.elsewhere()
  })
}

/** A stream is not sent again, however short: fetch hands on every body as the same kind of generator. */
function sendingOnce (through: Dispatcher, body: unknown): Dispatcher {
  if (typeof body !== 'object' || body === null || !(Symbol.asyncIterator in body)) return through
  return marking(through, options => { options.idempotent = false })
}

/**
 * Says something more with every request of one fetch, redirected ones too: fetch itself passes nothing on. One is made
 * for each call, so that it has no more than fetch asks for.
 */
class Marking {
  readonly #through: Dispatcher
  readonly #mark: Mark

  constructor (through: Dispatcher, mark: Mark) {
    this.#through = through
    this.#mark = mark
  }

  /** fetch hands a MockAgent the body as it was given. */
  get isMockActive (): unknown { return Reflect.get(this.#through, 'isMockActive') }

  dispatch (options: BalancedDispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.#mark(options)
    return this.#through.dispatch(options, handler)
  }
}

type Mark = (options: BalancedDispatchOptions) => void

function marking (through: Dispatcher, mark: Mark): Dispatcher {
  return new Marking(through, mark) as unknown as Dispatcher
}

import { errors, request as undiciRequest, type Dispatcher } from 'undici'
import { parseBalance, type Balance, type BalanceOptions } from './balance.ts'
import { refuseUpgrade, type BalancedDispatchOptions, type ConsulDispatcher } from './dispatcher.ts'
import { ownBody } from './foreign.ts'
import type { Routes } from './routes.ts'
import { withTextOfParams } from './search-params.ts'
import { comesInParts } from './watch-body.ts'

/** Said by the URL, wider here, or nothing that a response could come of. */
type Others = 'origin' | 'path' | 'method' | 'body' | 'upgrade'

/** Options of undici's `request()`, with what is particular to this call. */
export interface CallRequestOptions extends Omit<Dispatcher.RequestOptions, Others> {
  /** Default `PUT` with a body, else `GET`, as in undici. */
  method?: Dispatcher.HttpMethod
  /**
   * What is given whole, up to 64 KiB, is sent again where the request may be; streams and iterables are not.
   * `URLSearchParams` are sent as text with their content type.
   */
  body?: Dispatcher.DispatchOptions['body'] | globalThis.FormData | URLSearchParams
  /** For calls to ordinary hosts, and instead of ours for calls to services. */
  dispatcher?: Dispatcher
  balance?: BalanceOptions | undefined
}

/** undici's `request()`, with service names in URLs. */
export type CallRequest = (url: string | URL, options?: CallRequestOptions) => Promise<Dispatcher.ResponseData>

export function createRequest (routes: Routes, dispatcher: ConsulDispatcher, defaults: Balance): CallRequest {
  return async function request (url, given) {
    const parsed = url instanceof URL ? url : new URL(url)
    const route = routes.findFor(parsed)
    const options = withTextOfParams(given ?? {})
    if (typeof options !== 'object') throw new errors.InvalidArgumentError('options must be an object')
    const balance = options.balance === undefined ? defaults : parseBalance(options.balance, defaults)
    const body = ownBody(options.body ?? null)
    if (route === undefined) {
      refuseUpgrade(options) // As undici does, but not the one in Node 26, which may be the global dispatcher.
      const outside = { ...options, body, outside: true }
      return undiciRequest(url, outside)
    }
    const method = options.method ?? (body === null ? 'GET' : 'PUT')
    const through = options.dispatcher ?? dispatcher
    const balanced: Dispatcher.RequestOptions & BalancedDispatchOptions =
      { ...options, origin: parsed.origin, path: parsed.pathname + parsed.search, method, body, balance }
    // The dispatcher would keep the parts and send them again, as it must for fetch, which gives nothing else.
    if (comesInParts(body)) balanced.idempotent = false
    return through.request(balanced)
  }
}

import { request as undiciRequest, type Dispatcher } from 'undici'
import { parseBalance, type Balance, type BalanceOptions } from './balance.ts'
import type { BalancedDispatchOptions, ConsulDispatcher } from './dispatcher.ts'
import { ownBody } from './foreign.ts'
import type { Routes } from './routes.ts'

/** Options of undici's `request()`, with what is particular to this call. */
export interface CallRequestOptions extends Omit<Dispatcher.RequestOptions, 'origin' | 'path' | 'method' | 'body'> {
  /** Default `PUT` with a body, else `GET`, as in undici. */
  method?: Dispatcher.HttpMethod
  body?: Dispatcher.DispatchOptions['body'] | globalThis.FormData
  /** For calls to ordinary hosts, and instead of ours for calls to services. */
  dispatcher?: Dispatcher
  balance?: BalanceOptions | undefined
}

/** undici's `request()`, with service names in URLs. */
export type CallRequest = (url: string | URL, options?: CallRequestOptions) => Promise<Dispatcher.ResponseData>

export function createRequest (routes: Routes, dispatcher: ConsulDispatcher, defaults: Balance): CallRequest {
  return async function request (url, options = {}) {
    const parsed = typeof url === 'string' ? new URL(url) : url
    const route = routes.findFor(parsed)
    const balance = options.balance === undefined ? defaults : parseBalance(options.balance, defaults)
    const body = ownBody(options.body ?? null)
    if (route === undefined) {
      const outside = { ...options, body, outside: true }
      return undiciRequest(url, outside)
    }
    const method = options.method ?? (body === null ? 'GET' : 'PUT')
    const through = options.dispatcher ?? dispatcher
    const balanced: Dispatcher.RequestOptions & BalancedDispatchOptions =
      { ...options, origin: parsed.origin, path: parsed.pathname + parsed.search, method, body, balance }
    return through.request(balanced)
  }
}

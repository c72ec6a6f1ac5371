import { FormData, Request, type RequestInit } from 'undici'

type ValueOf<T, K> = K extends keyof T ? T[K] : never

/** What undici takes, and what the global `fetch` takes, be it that of Node or, for the types, that of browsers. */
export type AnyRequestInit = {
  [K in keyof RequestInit | keyof globalThis.RequestInit]?:
  ValueOf<RequestInit, K> | ValueOf<globalThis.RequestInit, K> | undefined
}

type AnyForm = Iterable<[name: string, value: unknown]>

/** Members of a request that can be given to another one. Source: the Fetch standard's RequestInit. */
const members = [
  'method', 'credentials', 'redirect', 'referrer', 'referrerPolicy', 'integrity', 'keepalive', 'signal'
] as const

/**
 * A request as this copy of undici takes it. It would take the text of a request or form of Node's own fetch, or of
 * another copy, for the thing itself.
 */
export function ownRequest (
  input: string | URL | Request | globalThis.Request, init: AnyRequestInit | undefined
): [input: string | URL | Request, init: RequestInit | undefined] {
  if (isForeign(input, 'Request', Request)) return [input.url, ownInit({ ...initOf(input), ...init })]
  return [input, init?.body == null ? init as RequestInit | undefined : ownInit(init)]
}

/** The body itself, or a form of ours that holds the same as a foreign one. */
export function ownBody<T> (body: T): Exclude<T, globalThis.FormData> | FormData {
  if (!isForeign<AnyForm>(body, 'FormData', FormData)) return body as Exclude<T, globalThis.FormData>
  const form = new FormData()
  for (const [name, value] of body) form.append(name, value)
  return form
}

function ownInit (init: AnyRequestInit): RequestInit {
  return { ...init, body: ownBody(init.body) } as RequestInit
}

/** What a foreign request says. Its body is read through it: it is used up then. */
function initOf (request: globalThis.Request): AnyRequestInit {
  const init: Record<string, unknown> = { headers: [...request.headers], body: request.body }
  for (const member of members) init[member] = request[member]
  return request.body === null ? init : { ...init, duplex: 'half' }
}

function isForeign<T = globalThis.Request> (
  value: unknown, tag: string, own: new (...args: never) => object
): value is T {
  return typeof value === 'object' && value !== null && !(value instanceof own) &&
    Reflect.get(value, Symbol.toStringTag) === tag
}

import { FormData, Request, type RequestInit } from 'undici'

/** Members of a request that can be given to another one. Source: the Fetch standard's RequestInit. */
const members = [
  'method', 'credentials', 'redirect', 'referrer', 'referrerPolicy', 'integrity', 'keepalive', 'signal'
] as const

/** A request or form of Node's own fetch, or of another copy of undici: this copy would take its text instead. */
export function isForeignRequest (input: unknown): input is globalThis.Request {
  return isOf(input, 'Request') && !(input instanceof Request)
}

/** What a foreign request says. Its body is read through it: it is used up then. */
export function initOf (request: globalThis.Request): RequestInit {
  const init: Record<string, unknown> = { headers: [...request.headers], body: request.body }
  for (const member of members) init[member] = request[member]
  if (request.body !== null) init.duplex = 'half'
  return init
}

/** The body itself, or a form of ours that holds the same as a foreign one. */
export function ownBody<T> (body: T): T | FormData {
  if (!isOf(body, 'FormData') || body instanceof FormData) return body
  const form = new FormData()
  for (const [name, value] of body as Iterable<[string, string | Blob & { name: string }]>) {
    if (typeof value === 'string') form.append(name, value)
    else form.append(name, value, value.name)
  }
  return form
}

function isOf (value: unknown, tag: string): boolean {
  return typeof value === 'object' && value !== null && Reflect.get(value, Symbol.toStringTag) === tag
}

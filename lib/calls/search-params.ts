import type { Dispatcher } from 'undici'

type Headers = Dispatcher.DispatchOptions['headers']

interface Request {
  headers?: Headers
  body?: unknown
}

type WithoutParams<T extends Request> = Omit<T, 'body'> & { body?: Exclude<T['body'], URLSearchParams> }

/** Source: the Fetch standard, for a body of this kind. */
const contentType = 'application/x-www-form-urlencoded;charset=UTF-8'

/** The same request with the text of `URLSearchParams`, and their content type unless it has one. */
export function withTextOfParams<T extends Request> (request: T): WithoutParams<T> {
  if (!isParams(request.body)) return request as WithoutParams<T>
  const text: Request = { ...request, body: String(request.body), headers: withType(request.headers) }
  return text as WithoutParams<T>
}

/** undici's own, which is global, or that of another copy. */
function isParams (body: unknown): body is URLSearchParams {
  return typeof body === 'object' && body !== null && Reflect.get(body, Symbol.toStringTag) === 'URLSearchParams'
}

/** What undici takes for no headers is left for it to refuse. */
function withType (headers: Headers): Headers {
  if (headers != null && typeof headers !== 'object') return headers
  const flat = flatten(headers ?? {})
  const isTyped = flat.some((name, index) =>
    index % 2 === 0 && String(name).toLowerCase() === 'content-type' && flat[index + 1] !== undefined)
  return (isTyped ? flat : [...flat, 'content-type', contentType]) as Headers
}

/** Names and values in turn, as undici takes them too. */
function flatten (headers: NonNullable<Headers>): readonly unknown[] {
  if (Array.isArray(headers)) return headers
  return (Symbol.iterator in headers ? [...headers as Iterable<unknown[]>] : Object.entries(headers)).flat()
}

import { badRequest, Refusal } from './refusal.ts'

export interface Question {
  /** What follows the route's prefix. */
  readonly rest: string
  readonly query: URLSearchParams
  /** The parsed body; `undefined` without one. */
  readonly body: unknown
  /** Aborts when nobody waits for the answer any more. */
  readonly gone: AbortSignal
}

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** JSON; none: an empty answer. */
  readonly body?: unknown
}

export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST'
  /** The whole path, or what it begins with if it ends in a slash. */
  readonly path: string
  readonly answer: (question: Question) => Reply | Promise<Reply>
}

/** The route of a path, as Go's multiplexer finds it: the longest that fits. */
export function routeOf (routes: readonly Route[], method: string, path: string): Route | undefined {
  const fits = ({ path: own }: Route): boolean => own.endsWith('/') ? path.startsWith(own) : path === own
  const [route] = routes.filter(fits).sort((a, b) => b.path.length - a.path.length)
  if (route === undefined || route.method === method) return route
  throw new Refusal(405, `method ${method} not allowed`, { allow: `OPTIONS,${route.method}` })
}

/** A name or id in a path, which nothing but its percent-encoding keeps from being any text. */
export function decoded (path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw badRequest('400 Bad Request')
  }
}

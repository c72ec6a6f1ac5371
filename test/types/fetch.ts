// Compiled by `npm run typecheck`, with and without the types of browsers, never run: where a program has the types of
// the global `fetch`, those of this package fit.
import Fastify from 'fastify'
import consul, { errors, type Fetch, type FetchInit } from 'fastify-consul'

const app = Fastify()
await app.register(consul)

// As clients that are generated from an OpenAPI document take it.
function createClient (options: { baseUrl: string, fetch: typeof fetch }): typeof fetch {
  return options.fetch
}
const client = createClient({ baseUrl: 'http://b', fetch: app.fetch })
const another: typeof globalThis.fetch = app.consul.fetch
const response: Response = await client('/path')

const init: RequestInit = {
  method: 'POST',
  body: new FormData(),
  headers: new Headers({ a: 'b' }),
  signal: AbortSignal.timeout(100)
}
const answers: Response[] = [
  await app.fetch('http://b/', init),
  await app.fetch(new Request('http://b/', init), { ...init, balance: { tag: 'v1' } }),
  await app.fetch(new URL('http://b/'), { body: new URLSearchParams('a=b') })
]
// @ts-expect-error an unknown balance option
await app.fetch('http://b/', { ...init, balance: { tagg: 'v1' } })
const own: FetchInit = { ...init, balance: { timeout: '1s' } }
const call: Fetch = app.fetch
const json: unknown = await (await call('http://b/', own)).json()

// Every error has a type.
const error = new errors.NoInstanceError('b', 'none is registered')
const code: string = error.code
const status: number | undefined = error.statusCode
// @ts-expect-error an error is no number
const wrong: number = error

export { another, answers, code, json, response, status, wrong }

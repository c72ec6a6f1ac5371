import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { badRequest, notSupported, Refusal } from './refusal.ts'
import { decoded, routeOf, type Reply, type Route } from './route.ts'

/** More than any registration has. Bytes. */
const largestBody = 1024 * 1024

/** A page that a browser shows may have made a name of its own lead here, and a check can make requests anywhere. */
const noPages = new Refusal(403, 'The development agent of fastify-consul answers no web page (the header Origin)')

/** Answers requests: errors are plain text, as Consul's are. */
export function handlerOf (routes: readonly Route[]): RequestListener {
  return (request, response) => {
    replyTo(request, response, routes).then(
      reply => send(response, reply),
      (error: unknown) => refuse(response, error)
    ).catch(() => response.destroy())
  }
}

async function replyTo (
  request: IncomingMessage, response: ServerResponse, routes: readonly Route[]
): Promise<Reply> {
  const { method = 'GET', url = '/', headers: { origin } } = request
  if (origin !== undefined) throw noPages
  const [rawPath = '/', rawQuery = ''] = url.split(/\?(.*)/s)
  const path = decoded(rawPath)
  const route = routeOf(routes, method, path)
  if (route === undefined) throw notSupported(`${method} ${path}`)
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const body = parsed(await textOf(request), route.method)
  const rest = route.path.endsWith('/') ? path.slice(route.path.length) : ''
  return await route.answer({ rest, query: new URLSearchParams(rawQuery), body, gone: gone.signal })
}

async function textOf (request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= largestBody) chunks.push(chunk)
  }
  // Said at the end: who still sends does not read, and would see a broken connection in the place of an answer.
  if (size > largestBody) throw new Refusal(413, 'Request body too large')
  return Buffer.concat(chunks).toString()
}

function parsed (text: string, method: Route['method']): unknown {
  if (text === '' || method === 'GET') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badRequest(`Request decode failed: ${(error as Error).message}`)
  }
}

function send (response: ServerResponse, { status = 200, headers = {}, body }: Reply): void {
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  response.writeHead(status, { ...type, ...headers })
  response.end(body === undefined ? '' : `${JSON.stringify(body, undefined, 4)}\n`)
}

function refuse (response: ServerResponse, error: unknown): void {
  const { status, headers, message } = error instanceof Refusal
    ? error
    : { status: 500, headers: {}, message: `The development agent failed: ${String(error)}` }
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers })
  response.end(message)
}

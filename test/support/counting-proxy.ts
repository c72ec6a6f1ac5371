import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { freePort } from './ports.ts'
import type { Teardown } from './teardown.ts'

export interface CountedRequest {
  method: string
  /** Path and query. */
  url: string
  headers: IncomingMessage['headers']
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  body?: string
}

/**
 * An HTTP proxy in front of `target` (`http://host:port`) that writes down every request. It keeps connections alive
 * on its own side only, and a client that goes away takes its request to the target with it.
 */
export async function startCountingProxy (t: Teardown, target: string): Promise<CountingProxy> {
  const port = await freePort()
  const proxy = new CountingProxy(target, port)
  const server = createServer((incoming, outgoing) => proxy.pass(incoming, outgoing))
  t.teardown(async () => {
    server.close()
    server.closeAllConnections()
    if (server.listening) await once(server, 'close')
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return proxy
}

export class CountingProxy {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly url: string
  /** Every request so far, the oldest first. */
  readonly requests: CountedRequest[] = []
  /**
   * An answer given in the target's place, for what the target cannot be brought to say; undefined passes on. A promise
   * holds the request back until it is settled.
   */
  answer: (request: CountedRequest) => Answer | undefined | Promise<Answer | undefined> = () => undefined
  #target: string

  constructor (target: string, port: number) {
    this.#target = target
    this.port = port
    this.url = `http://127.0.0.1:${port}`
  }

  /** Requests so far whose path (without the query) is `path`, or all. */
  count (path?: string): number {
    return this.requests.filter(({ url }) => path === undefined || url.split('?')[0] === path).length
  }

  async pass (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming
    const counted = { method, url, headers }
    this.requests.push(counted)
    const answer = await this.answer(counted)
    if (answer !== undefined) {
      outgoing.writeHead(answer.status, answer.headers).end(answer.body)
      return
    }
    const upstream = request(new URL(url, this.#target), { method, headers, agent: false }, response => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(outgoing)
      response.on('error', () => outgoing.destroy())
    })
    upstream.on('error', () => outgoing.destroy())
    outgoing.on('close', () => upstream.destroy())
    if (outgoing.destroyed) upstream.destroy()
    incoming.pipe(upstream)
  }
}

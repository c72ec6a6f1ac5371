import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { ServerHttp2Session } from 'node:http2'
import { systemClock, type Clock } from '../clock.ts'
import { UnusedConnections } from './unused-connections.ts'

/**
 * Sends the server's clients elsewhere when it leaves. Over HTTP/1 with the reply to what they asked: it says
 * `connection: close` if it is sent after the beginning of the end, however long before that the request came. Over
 * HTTP/2 with GOAWAY, after which running streams finish.
 */
export class Connections {
  readonly #replies = new Set<ServerResponse>()
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #unused: UnusedConnections
  readonly #leaving: AbortSignal

  /** @param leaving aborts when the end begins; requests are served until `end()` and beyond */
  constructor (server: Server, leaving: AbortSignal, clock: Clock = systemClock) {
    this.#leaving = leaving
    this.#unused = new UnusedConnections(server, clock)
    server.prependListener('request', (request, reply) => this.follow(request, reply))
    server.on('session', (session: ServerHttp2Session) => this.#followSession(session))
    leaving.addEventListener('abort', () => {
      for (const reply of this.#replies) closeAfter(reply)
      for (const session of this.#sessions) session.close()
    }, { once: true })
  }

  /** For requests that reached the app by another server too; harmless the second time. */
  follow (request: IncomingMessage, reply: ServerResponse): void {
    this.#unused.used(request.socket)
    if (request.httpVersionMajor !== 1) return
    if (this.#leaving.aborted) closeAfter(reply)
    if (this.#replies.has(reply)) return
    this.#replies.add(reply)
    reply.once('close', () => this.#replies.delete(reply))
  }

  /** The server closes. Connections that would stay open for another request, or a first one, are not to hold it up. */
  end (): void {
    this.#unused.end()
    for (const reply of this.#replies) {
      const { socket } = reply // Gone from the reply once that is finished.
      reply.once('finish', () => socket?.end())
    }
    for (const session of this.#sessions) session.close()
  }

  /** A new session is told after its first request: streams that a client opens after GOAWAY are not served. */
  #followSession (session: ServerHttp2Session): void {
    this.#sessions.add(session)
    session.once('close', () => this.#sessions.delete(session))
    if (this.#leaving.aborted) session.once('stream', () => session.close())
  }
}

/** A reply whose headers are on their way has promised to keep the connection: the next one on it will not. */
function closeAfter (reply: ServerResponse): void {
  if (!reply.headersSent) reply.setHeader('connection', 'close')
}

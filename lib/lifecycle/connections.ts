import type { Server, ServerResponse } from 'node:http'
import type { ServerHttp2Session } from 'node:http2'

/**
 * The server's clients at the end of its life. They are told to go elsewhere with the reply to what they asked: the
 * decision falls when a reply is sent, so a request begun before the end counts too.
 */
export class Connections {
  readonly #replies = new Set<ServerResponse>()
  readonly #sessions = new Set<ServerHttp2Session>()
  #releasing = false

  constructor (server: Server) {
    server.prependListener('request', (request, response) => {
      if (request.httpVersionMajor === 1) this.#follow(response)
    })
    server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
      if (this.#releasing) goAway(session)
    })
  }

  get releasing (): boolean {
    return this.#releasing
  }

  /** From now on every reply closes its connection, and HTTP/2 clients open no further streams. */
  release (): void {
    this.#releasing = true
    for (const reply of this.#replies) closeAfter(reply)
    for (const session of this.#sessions) goAway(session)
  }

  #follow (reply: ServerResponse): void {
    if (this.#releasing) return closeAfter(reply)
    this.#replies.add(reply)
    reply.once('close', () => this.#replies.delete(reply))
  }
}

function closeAfter (reply: ServerResponse): void {
  if (!reply.headersSent) reply.setHeader('connection', 'close')
  else reply.once('finish', () => reply.socket?.end())
}

/** The largest stream id: what a client has opened already, or opens before it hears of this, is still served. */
const everyStream = 2 ** 31 - 1

/** Fastify sends a second GOAWAY, with the last stream that counts, when it closes the server. */
function goAway (session: ServerHttp2Session): void {
  if (!session.destroyed && !session.closed) session.goaway(0, everyStream)
}

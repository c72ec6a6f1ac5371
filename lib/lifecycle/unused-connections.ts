import type { Server } from 'node:http'
import type { ServerHttp2Session } from 'node:http2'
import { Socket } from 'node:net'
import type { Clock } from '../clock.ts'

/** For a request that is on its way while the server closes. Milliseconds. */
const patience = 100

type Connection = Socket | ServerHttp2Session

/**
 * A server's connections that have carried no request: opened to have one at hand, or by a peer that never gets to the
 * end of its headers. Node does not count them as idle, and its `close()` waits until their peers act.
 */
export class UnusedConnections {
  readonly #connections = new Set<Connection>()
  readonly #clock: Clock
  #ended = false

  constructor (server: Server, clock: Clock) {
    this.#clock = clock
    server.on('connection', (socket: Socket) => this.#follow(socket))
    // Another one than that on which the handshake was.
    server.on('secureConnection', (socket: Socket) => this.#follow(socket))
    server.on('session', (session: ServerHttp2Session) => {
      this.#follow(session)
      session.once('stream', () => this.used(session))
    })
  }

  /** It carries a request. */
  used (connection: Connection): void {
    this.#connections.delete(connection)
  }

  /** The server closes. Those that come later are not to hold it up either. */
  end (): void {
    this.#ended = true
    for (const connection of this.#connections) this.#destroyLater(connection)
  }

  #follow (connection: Connection): void {
    this.#connections.add(connection)
    connection.once('close', () => this.#connections.delete(connection))
    if (this.#ended) this.#destroyLater(connection)
  }

  #destroyLater (connection: Connection): void {
    this.#clock.after(patience, () => {
      if (this.#connections.has(connection) && !isAnswered(connection)) connection.destroy()
    })
  }
}

/** What was written to a socket without a request was a handshake, an upgrade, or the beginning of a session. */
function isAnswered (connection: Connection): boolean {
  return connection instanceof Socket && connection.bytesWritten > 0
}

import type { Socket } from 'node:net'
import { Client, type Dispatcher } from 'undici'
import type { Dial } from './dial.ts'
import type { PooledRequest } from './instance-pool.ts'

export interface ConnectionEvents {
  onConnect (connection: Connection): void
  onDisconnect (connection: Connection): void
  /** Before its request hears of it. */
  onConnectError (connection: Connection, error: Error): void
}

/** A socket to an instance, made with the first request; one request at a time. */
export class Connection {
  /** By which callers know the service. */
  readonly origin: string
  /** The one that it carries. */
  request: PooledRequest | undefined
  readonly #client: Client
  #dialing: Socket | undefined
  #connected = false
  #requests = 0

  constructor (origin: string, dial: Dial, events: ConnectionEvents) {
    this.origin = origin
    this.#client = new Client(origin, {
      connect: (request, callback) => {
        this.#dialing = dial(request, (...outcome) => {
          const [error] = outcome
          if (error !== null && !this.#client.destroyed) events.onConnectError(this, error)
          callback(...outcome)
        })
      },
      // Attempts have a limit of their own, which is exact.
      headersTimeout: 0
    })
    this.#client
      .on('connect', () => {
        this.#connected = true
        this.#dialing = undefined
        events.onConnect(this)
      })
      .on('disconnect', () => {
        this.#connected = false
        // The one that waits for it is the first of the next connection.
        this.#requests = this.request === undefined ? 0 : 1
        events.onDisconnect(this)
      })
  }

  get connected (): boolean { return this.#connected }

  /** Whether its request is not the first one. */
  get reused (): boolean { return this.#requests > 1 }

  dispatch (options: Dispatcher.DispatchOptions, request: PooledRequest): void {
    this.#requests++
    this.#client.dispatch(options, request as Dispatcher.DispatchHandler)
  }

  /** Ends when the request that runs has ended. */
  async close (): Promise<void> {
    // undici rejects what it has destroyed already.
    if (!this.#client.destroyed) await this.#client.close()
  }

  /** Ends at once. */
  async destroy (): Promise<void> {
    this.#dialing?.destroy()
    await this.#client.destroy()
  }
}

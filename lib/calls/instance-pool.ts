import type { Dispatcher } from 'undici'
import type { Endpoint } from '../balancing/endpoint.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import { Connection, type ConnectionEvents } from './connection.ts'
import { dialer, type Dial, type DialOptions } from './dial.ts'
import { guarded } from './guarded.ts'
import type { LegacyHandler } from './legacy-handler.ts'
import type { Lines } from './lines.ts'
import { isFaultOfHost } from './retry.ts'
import { Reuse } from './reuse.ts'

export interface InstancePoolOptions extends DialOptions {
  /** Connections at most. */
  readonly connections: number
  /** Calls that wait for a connection. */
  readonly lines: Lines
}

/**
 * How a request left its connection: to be used again, about to end by itself, broken when it was used again, or never
 * having got the request.
 */
export type Aftermath = 'reusable' | 'spent' | 'stale' | 'unsent'

/** A request that is given to a pool. */
export interface PooledRequest extends LegacyHandler {
  readonly endpoint: Endpoint
  /** What carries it, for as long as it has one. The pool's to set: a map of them would cost more than all the rest. */
  connection: Connection | undefined
}

/**
 * The connections to one instance, each under one of the origins by which callers know its service.
 *
 * undici's own pool with a limit loses a connection for good with every request that it finds invalid, and forgets to
 * close those that have failed once.
 */
export class InstancePool implements ConnectionEvents {
  readonly reuse = new Reuse()
  /** As it is called in Consul. */
  readonly service: string
  /** The service's line: hosts in URLs are in lower case. */
  readonly #line: string
  readonly #dial: Dial
  readonly #limit: number
  readonly #lines: Lines
  /** Connected, the last used one at the end: it is used first, so that the others may time out. */
  readonly #idle: Connection[] = []
  /** All that are idle or busy. */
  readonly #open = new Set<Connection>()
  readonly #ending = new Set<Connection>()
  readonly #ended: Promise<void>
  #onEnded: () => void = () => {}
  #made = 0
  #closed = false

  constructor (instance: ServiceInstance, options: InstancePoolOptions) {
    this.service = instance.name
    this.#line = instance.name.toLowerCase()
    this.#lines = options.lines
    this.#dial = dialer(instance, options)
    this.#limit = options.connections
    this.#ended = new Promise(resolve => { this.#onEnded = resolve })
  }

  /** Whether there is no room for another request. */
  get busy (): boolean { return this.#open.size - this.#idle.length >= this.#limit }

  /** Sockets that are connected. */
  get connections (): number {
    return [...this.#open, ...this.#ending].filter(({ connected }) => connected).length
  }

  /** Calls that wait for a connection, here or at another instance of the service. */
  get waiting (): number { return this.#lines.lengthOf(this.#line) }

  /** Connections that were made so far. */
  get made (): number { return this.#made }

  /** Sends a request, for which there must be room. It must be released in the end. */
  dispatch (origin: string, options: Dispatcher.DispatchOptions, request: PooledRequest): void {
    const connection = this.#free(origin)
    connection.request = request
    request.connection = connection
    connection.dispatch(options, request)
  }

  /** The request is over, or is not wanted any longer. */
  release (request: PooledRequest, aftermath: Aftermath): void {
    const { connection } = request
    if (connection === undefined) return
    request.connection = undefined
    connection.request = undefined
    if (aftermath === 'reusable' && connection.connected && !this.#closed) this.#idle.push(connection)
    else this.#end(connection, aftermath === 'unsent' ? connection.destroy() : connection.close())
    // Those that were idle meanwhile may have been closed with it. Whoever comes next shall not find out.
    if (aftermath === 'stale') this.#endIdle()
    this.#lines.serve(this.#line)
  }

  /** Requests that run may end. Idle connections are closed at once. */
  async close (): Promise<void> {
    this.#closed = true
    this.#endIdle()
    this.#settle()
    await this.#ended
  }

  /** The same, for when no call runs any more: what is left of their connections ends now. */
  async destroy (): Promise<void> {
    const closed = this.close()
    for (const connection of [...this.#open, ...this.#ending]) connection.destroy()
    await closed
  }

  onConnect (): void {
    this.#made++
  }

  onDisconnect (connection: Connection): void {
    const position = this.#idle.indexOf(connection)
    if (position === -1) return
    this.#idle.splice(position, 1)
    this.#open.delete(connection)
  }

  /**
   * Who waits for a connection waits in vain if there is none and none can be made: they all fail now, and go to
   * another instance, instead of one after the other finding out for itself. Those in line first, before they get the
   * places of the others.
   */
  onConnectError ({ origin }: Connection, error: Error): void {
    if (isFaultOfHost(error)) return
    const others = [...this.#open].filter(each => each.origin === origin)
    if (others.some(({ connected }) => connected)) return
    const requests = others.flatMap(({ request }) => request ?? [])
    if (requests[0] !== undefined) this.#lines.passOver(this.#line, requests[0].endpoint, origin, error)
    for (const request of requests) guarded(() => request.onError(error))
  }

  #free (origin: string): Connection {
    if (this.#idle.at(-1)?.origin === origin) return this.#idle.pop() as Connection
    const position = this.#idle.findLastIndex(connection => connection.origin === origin)
    if (position !== -1) return this.#idle.splice(position, 1)[0] as Connection
    // One that is idle under another origin makes room.
    if (this.#open.size >= this.#limit) this.#endIdle(1)
    const connection = new Connection(origin, this.#dial, this)
    this.#open.add(connection)
    return connection
  }

  /** The longest unused ones first. */
  #endIdle (most = Infinity): void {
    for (const connection of this.#idle.splice(0, most)) this.#end(connection, connection.close())
  }

  #end (connection: Connection, ended: Promise<void>): void {
    this.#open.delete(connection)
    this.#ending.add(connection)
    ended.then(() => {
      this.#ending.delete(connection)
      this.#settle()
    })
  }

  #settle (): void {
    if (this.#closed && this.#open.size + this.#ending.size === 0) this.#onEnded()
  }
}

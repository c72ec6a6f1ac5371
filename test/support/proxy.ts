import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Teardown } from './teardown.ts'
import { freePort } from './ports.ts'
import { Stream } from './proxy-stream.ts'

export interface Target {
  host: string
  port: number
}

/** A TCP proxy in front of `target`, for faults on the wire. It listens on 127.0.0.1 and ends with the test. */
export async function startProxy (t: Teardown, target: Target): Promise<Proxy> {
  const proxy = new Proxy(target, await freePort())
  t.teardown(() => proxy.close())
  await proxy.refuse(false)
  return proxy
}

interface Connection {
  client: Socket
  server: Socket
  streams: readonly [up: Stream, down: Stream]
}

export class Proxy {
  readonly host = '127.0.0.1'
  readonly port: number
  /** As HTTP. */
  readonly url: string
  #target: Target
  #listener: Server | undefined
  #connections = new Set<Connection>()
  #opened = 0
  #latency = 0
  #limit = Infinity
  #blackhole = false

  constructor (target: Target, port: number) {
    this.#target = target
    this.port = port
    this.url = `http://${this.host}:${port}`
  }

  /** Connections that are open now. */
  get connections (): number { return this.#connections.size }

  /** Connections that were ever opened. */
  get opened (): number { return this.#opened }

  /** While on, connections stay open and are accepted, and nothing passes. What was held then arrives after all. */
  blackhole (on: boolean): void {
    this.#blackhole = on
    for (const stream of this.#streams()) stream.hold(on)
  }

  /** Ends a black hole for new connections only: open ones stay silent, as without their entry in a NAT. */
  forget (): void {
    this.#blackhole = false
    for (const stream of this.#streams()) stream.hold(true)
  }

  /** Delays every byte in both directions. */
  latency (ms: number): void {
    this.#latency = ms
    for (const stream of this.#streams()) stream.latency = ms
  }

  /** From now on each connection carries this many bytes to its client and is then reset. */
  limit (bytes: number): void {
    this.#limit = bytes
    for (const { streams } of this.#connections) streams[1].limit = bytes
  }

  /** While on, new connections are refused. Open ones stay. */
  async refuse (on: boolean): Promise<void> {
    if (!on && this.#listener === undefined) {
      this.#listener = createServer({ allowHalfOpen: true }, client => this.#open(client))
      this.#listener.listen(this.port, this.host)
      await once(this.#listener, 'listening')
    } else if (on) {
      this.#listener?.close()
      this.#listener = undefined
    }
  }

  /** Resets every open connection (RST), on both sides. */
  reset (): void {
    for (const { client, server } of this.#connections) reset(client, server)
  }

  /** Ends every open connection in good order (FIN), on both sides. */
  cut (): void {
    for (const { client, server } of this.#connections) {
      client.destroySoon()
      server.destroySoon()
    }
  }

  async close (): Promise<void> {
    await this.refuse(true)
    this.reset()
  }

  #open (client: Socket): void {
    const server = connect({ ...this.#target, allowHalfOpen: true })
    const fail = (): void => reset(client, server)
    const connection: Connection = {
      client,
      server,
      streams: [new Stream(client, server, fail), new Stream(server, client, fail)]
    }
    this.#opened++
    this.#connections.add(connection)
    connection.streams[1].limit = this.#limit
    for (const stream of connection.streams) {
      stream.latency = this.#latency
      stream.hold(this.#blackhole)
    }
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', fail)
      socket.on('close', () => {
        if (!client.destroyed || !server.destroyed) return
        this.#connections.delete(connection)
      })
    }
  }

  * #streams (): Iterable<Stream> {
    for (const { streams } of this.#connections) yield * streams
  }
}

/** `resetAndDestroy` would send FIN before RST, and then it is chance which of the two the other side sees. */
function reset (...sockets: readonly Socket[]): void {
  for (const socket of sockets) Object.assign(socket, { resetAndClosing: true }).destroy()
}

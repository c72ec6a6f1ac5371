import type { Socket } from 'node:net'
import { Pool, type Dispatcher } from 'undici'
import type { ServiceInstance } from '../consul/instance.ts'
import { dialer, type DialOptions } from './dial.ts'

export interface InstancePoolOptions extends DialOptions {
  /** Sockets at most. */
  readonly connections: number
}

/** The connections to one instance, under the origin by which callers know its service. */
export class InstancePool {
  readonly #connected = new Set<Dispatcher>()
  readonly #dialing = new Set<Socket>()
  readonly #open: () => Pool
  #pool: Pool
  readonly #destroyed: Promise<void>
  #onDestroyed: () => void = () => {}
  #closed = false

  constructor (origin: string, instance: ServiceInstance, options: InstancePoolOptions) {
    const connect = dialer(instance, options, this.#dialing)
    // Attempts have a limit of their own, which is exact: undici's is not needed.
    this.#open = () => this.#watch(new Pool(origin, { connect, connections: options.connections, headersTimeout: 0 }))
    this.#pool = this.#open()
    this.#destroyed = new Promise(resolve => { this.#onDestroyed = resolve })
  }

  dispatch (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#pool.dispatch(options, handler)
  }

  /** No new requests; those that run may end. Idle connections are closed at once. */
  async close (): Promise<void> {
    this.#closed = true
    await Promise.race([this.#closeGently(), this.#destroyed])
  }

  /** Ends everything; requests that run or wait fail with the error. */
  async destroy (error: Error): Promise<void> {
    this.#closed = true
    const ending = [this.#pool, ...this.#connected].map(dispatcher => dispatcher.destroy(error))
    for (const socket of this.#dialing) socket.destroy()
    await Promise.all(ending)
    this.#onDestroyed()
  }

  async #closeGently (): Promise<void> {
    await Promise.allSettled([this.#pool.close()])
    // A client that once failed to connect is not the pool's any more, yet it goes on to serve what had been queued.
    await Promise.allSettled(Array.from(this.#connected, client => client.close()))
  }

  #watch (pool: Pool): Pool {
    return pool
      .on('connect', (_origin, [, client]) => {
        if (client === undefined) return
        this.#connected.add(client)
        if (this.#closed) client.close().catch(() => {})
      })
      .on('disconnect', (_origin, [, client]) => {
        if (client !== undefined) this.#connected.delete(client)
      })
      .on('connectionError', (_origin, _targets, error) => this.#failWaiting(pool, error))
  }

  /**
   * What waits for a connection waits in vain if there is none and none can be made: it fails now, and is sent to
   * another instance, instead of one request after the other finding out for itself.
   */
  #failWaiting (pool: Pool, error: Error): void {
    if (pool !== this.#pool || this.#connected.size > 0) return
    if (!this.#closed) this.#pool = this.#open()
    for (const socket of this.#dialing) socket.destroy()
    pool.destroy(error).then(this.#closed ? this.#onDestroyed : undefined)
  }
}

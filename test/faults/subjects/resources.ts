import { createHook } from 'node:async_hooks'

const counted = new Set(['TCPWRAP', 'TLSWRAP', 'Timeout'])

/** The sockets and timers of this process, those too that keep no process alive. */
export class Resources {
  readonly #living = new Map<number, string>()

  constructor () {
    createHook({
      init: (id, type) => { if (counted.has(type)) this.#living.set(id, type) },
      destroy: id => { this.#living.delete(id) }
    }).enable()
  }

  get sockets (): number { return this.#count('TCPWRAP') }

  get timers (): number { return this.#count('Timeout') }

  #count (type: string): number {
    return [...this.#living.values()].filter(each => each === type).length
  }
}

import type { Duplex } from 'node:stream'
import { errors, util, type Dispatcher } from 'undici'

export type Abort = (reason?: Error) => void

/**
 * What undici 7 calls as a request goes on. Its own `request()`, `stream()`, `fetch()` and so on hand such a handler
 * to `dispatch()`; handlers of interceptors are of the newer kind, with a controller.
 */
export interface LegacyHandler {
  onConnect (abort: Abort): void
  onError (error: Error): void
  onHeaders? (status: number, headers: Buffer[], resume: () => void, statusText: string): boolean | void
  onData? (chunk: Buffer): boolean | void
  onComplete? (trailers: string[] | null): void
  onUpgrade? (status: number, headers: Buffer[] | string[] | null, socket: Duplex): void
  onResponseStarted? (): void
  onBodySent? (chunkSize: number, totalBytesSent: number): void
  onRequestSent? (): void
}

/** The handler itself, or one in front of it if it is of the newer kind: nothing would ever call that one. */
export function legacyHandler (handler: Dispatcher.DispatchHandler): LegacyHandler {
  if (typeof handler?.onRequestStart === 'function') return new ControlledHandler(handler)
  if (!isLegacy(handler)) throw new errors.InvalidArgumentError('the handler needs onConnect() and onError()')
  return handler
}

function isLegacy (handler: Dispatcher.DispatchHandler): handler is Dispatcher.DispatchHandler & LegacyHandler {
  return typeof handler?.onConnect === 'function' && typeof handler.onError === 'function'
}

class ControlledHandler implements LegacyHandler {
  readonly #handler: Dispatcher.DispatchHandler
  #controller = new Controller(() => {})

  constructor (handler: Dispatcher.DispatchHandler) {
    this.#handler = handler
  }

  onConnect (abort: Abort): void {
    this.#controller = new Controller(abort)
    this.#handler.onRequestStart?.(this.#controller, undefined)
  }

  onHeaders (status: number, headers: Buffer[], resume: () => void, statusText: string): boolean {
    this.#controller.receives(resume)
    this.#controller.rawHeaders = headers
    this.#handler.onResponseStart?.(this.#controller, status, util.parseHeaders(headers), statusText)
    return !this.#controller.paused
  }

  onData (chunk: Buffer): boolean {
    this.#handler.onResponseData?.(this.#controller, chunk)
    return !this.#controller.paused
  }

  onComplete (trailers: string[] | null): void {
    this.#controller.rawTrailers = trailers
    this.#handler.onResponseEnd?.(this.#controller, util.parseHeaders(trailers ?? []))
  }

  onError (error: Error): void {
    this.#handler.onResponseError?.(this.#controller, error)
  }

  onUpgrade (status: number, headers: Buffer[] | string[] | null, socket: Duplex): void {
    this.#controller.rawHeaders = headers
    this.#handler.onRequestUpgrade?.(this.#controller, status, util.parseHeaders(headers ?? []), socket)
  }

  onResponseStarted (): void {
    this.#handler.onResponseStarted?.()
  }

  onBodySent (chunkSize: number, totalBytesSent: number): void {
    this.#handler.onBodySent?.(chunkSize, totalBytesSent)
  }
}

class Controller implements Dispatcher.DispatchController {
  rawHeaders: Buffer[] | string[] | null = null
  rawTrailers: string[] | null = null
  readonly #abort: Abort
  #resume: () => void = () => {}
  #paused = false
  #aborted = false
  #reason: Error | null = null

  constructor (abort: Abort) {
    this.#abort = abort
  }

  get aborted (): boolean { return this.#aborted }
  get reason (): Error | null { return this.#reason }
  get paused (): boolean { return this.#paused }

  abort (reason: Error): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason
    this.#abort(reason)
  }

  pause (): void {
    this.#paused = true
  }

  resume (): void {
    if (!this.#paused) return
    this.#paused = false
    this.#resume()
  }

  /** What makes a paused response go on. */
  receives (resume: () => void): void {
    this.#resume = resume
  }
}

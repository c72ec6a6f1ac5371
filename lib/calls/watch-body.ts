import type { EventEmitter } from 'node:events'
import { errors, type Dispatcher } from 'undici'
import { ReplayableBody } from './replay.ts'
import { isIdempotent } from './retry.ts'

type Body = Dispatcher.DispatchOptions['body'] & object
type Parts = AsyncIterable<unknown> | Iterable<unknown>

/** Whoever sends a body: told when its source fails, before anyone can take that for a fault of the instance. */
export interface BodyOwner {
  abort (error: Error): void
}

/** Watches a body while its request is under way. Returns the function that ends that, if there is anything to end. */
export function watchBody (body: Dispatcher.DispatchOptions['body'], owner: BodyOwner): (() => void) | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  if (body instanceof ReplayableBody) return () => body.close()
  return isEmitter(body) ? watchStream(body, owner) : undefined
}

/**
 * Watches a stream, also while nobody reads it: one that fails without a listener would end the process, and one that
 * fails while its request is connecting would pass for an instance that cannot be connected to.
 * Returns the function that ends the watch.
 */
function watchStream (body: EventEmitter, owner: BodyOwner): () => void {
  const onError = (error: NodeJS.ErrnoException): void => {
    // Of a part that cannot be written, which undici finds out.
    owner.abort(error?.code === 'ERR_INVALID_ARG_TYPE' ? wrongPart(error) : error)
  }
  body.once('error', onError)
  return () => { body.off('error', onError) }
}

function isEmitter (body: object): body is EventEmitter {
  return 'on' in body && typeof body.on === 'function'
}

/**
 * The request with a body that tells its owner when it fails, if it comes in parts, as all bodies of `fetch()` do.
 * `mayRepeat`: one that can be sent again, if the request can, unless it is a stream.
 */
export function withWatchedParts (
  options: Dispatcher.DispatchOptions, owner: BodyOwner, mayRepeat: boolean
): Dispatcher.DispatchOptions {
  const { body } = options
  if (!comesInParts(body)) return options
  const parts = new WatchedParts(body, owner)
  const isKept = mayRepeat && isIdempotent(options) && !(body instanceof ReadableStream)
  const sent = isKept ? new ReplayableBody(parts) : parts
  return { ...options, body: sent as unknown as Body }
}

/** Whether a body that is being sent, and is not at its end, waits for its source. Otherwise the connection is full. */
export function isPending (body: unknown): boolean {
  if (body instanceof WatchedParts || body instanceof ReplayableBody) return body.isPending
  // undici pauses a stream while the connection is full.
  return typeof body === 'object' && body !== null && isEmitter(body) && Reflect.get(body, 'readableFlowing') !== false
}

/** Not a stream, which has events, and nothing that undici takes as a whole. */
export function comesInParts (body: unknown): body is Parts {
  if (typeof body !== 'object' || body === null || ArrayBuffer.isView(body) || 'on' in body) return false
  if (Reflect.get(body, Symbol.toStringTag) === 'FormData') return false
  return Symbol.asyncIterator in body || Symbol.iterator in body
}

class WatchedParts implements AsyncIterable<unknown> {
  readonly #parts: Parts
  readonly #owner: BodyOwner
  #pending = false

  constructor (parts: Parts, owner: BodyOwner) {
    this.#parts = parts
    this.#owner = owner
  }

  /** Whether a part was asked for that has not come. */
  get isPending (): boolean { return this.#pending }

  async * [Symbol.asyncIterator] (): AsyncGenerator<unknown> {
    try {
      this.#pending = true
      for await (const part of this.#parts) {
        this.#pending = false
        if (typeof part !== 'string' && !ArrayBuffer.isView(part)) throw wrongPart()
        yield part
        this.#pending = true
      }
    } catch (error) {
      this.#owner.abort(error as Error)
      throw error
    }
  }
}

function wrongPart (cause?: Error): Error {
  const error = new errors.InvalidArgumentError('body must hold nothing but strings, Buffers and typed arrays')
  return cause === undefined ? error : Object.assign(error, { cause })
}

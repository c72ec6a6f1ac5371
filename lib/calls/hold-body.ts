import type { EventEmitter } from 'node:events'
import type { Dispatcher } from 'undici'
import { ReplayableBody } from './replay.ts'
import { isIdempotent } from './retry.ts'

type Body = Dispatcher.DispatchOptions['body'] & object
type Parts = AsyncIterable<unknown> | Iterable<unknown>

/** Whoever sends a body: told when its source fails, before anyone can take that for a fault of the instance. */
export interface BodyOwner {
  abort (error: Error): void
}

/**
 * Watches a stream, also while nobody reads it: one that fails without a listener would end the process, and one that
 * fails while its request is connecting would pass for an instance that cannot be connected to.
 * Returns the function that ends the watch.
 */
export function holdStream (body: EventEmitter, owner: BodyOwner): () => void {
  const onError = (error: Error): void => owner.abort(error)
  body.once('error', onError)
  return () => { body.off('error', onError) }
}

export function isEmitter (body: object): body is EventEmitter {
  return 'on' in body && typeof body.on === 'function'
}

/**
 * The request with a body that tells its owner when it fails, if it comes in parts, as all bodies of `fetch()` do.
 * `mayRepeat`: one that can be sent again, if the request can.
 */
export function withHeldParts (
  options: Dispatcher.DispatchOptions, owner: BodyOwner, mayRepeat: boolean
): Dispatcher.DispatchOptions {
  const { body } = options
  if (!comesInParts(body)) return options
  const parts = held(body, owner)
  const sent = mayRepeat && isIdempotent(options) ? new ReplayableBody(parts) : parts
  return { ...options, body: sent as unknown as Body }
}

/** Not a stream, which has events, and nothing that undici takes as a whole. */
function comesInParts (body: unknown): body is Parts {
  if (typeof body !== 'object' || body === null || ArrayBuffer.isView(body) || 'on' in body) return false
  if (Reflect.get(body, Symbol.toStringTag) === 'FormData') return false
  return Symbol.asyncIterator in body || Symbol.iterator in body
}

async function * held (body: Parts, owner: BodyOwner): AsyncGenerator<unknown> {
  try {
    yield * body
  } catch (error) {
    owner.abort(error as Error)
    throw error
  }
}

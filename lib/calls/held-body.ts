import type { EventEmitter } from 'node:events'
import type { Dispatcher } from 'undici'

type Body = Dispatcher.DispatchOptions['body']

/**
 * Watches a body while nobody reads it: a stream that fails without a listener would end the process.
 * Returns the function that ends the watch.
 */
export function holdBody (body: Body, onError: (error: Error) => void): () => void {
  if (!isEmitter(body)) return () => {}
  body.once('error', onError)
  return () => { body.off('error', onError) }
}

/** Whether a body has been lost, so that it cannot be sent to anyone. */
export function isLost (body: Body): boolean {
  return isEmitter(body) && 'destroyed' in body && body.destroyed === true
}

function isEmitter (body: unknown): body is EventEmitter {
  return typeof body === 'object' && body !== null && 'on' in body && typeof body.on === 'function'
}

import type { EventEmitter } from 'node:events'

/**
 * Watches a body, also while nobody reads it: a stream that fails without a listener would end the process, and one
 * that fails while its request is connecting would pass for an instance that cannot be connected to.
 * Returns the function that ends the watch.
 */
export function holdBody (body: unknown, onError: (error: Error) => void): () => void {
  if (!isEmitter(body)) return () => {}
  body.once('error', onError)
  return () => { body.off('error', onError) }
}

function isEmitter (body: unknown): body is EventEmitter {
  return typeof body === 'object' && body !== null && 'on' in body && typeof body.on === 'function'
}

import { AsyncResource } from 'node:async_hooks'
import type { LegacyHandler } from './legacy-handler.ts'

/**
 * The async context of whoever makes a call: it goes on in callbacks of its connection, which may have been made for
 * another call, or in those of other calls. undici's `request()` and the like hold it already.
 */
export function callerContext (handler: LegacyHandler): AsyncResource {
  return handler instanceof AsyncResource ? handler : new AsyncResource('CONSUL_CALL')
}

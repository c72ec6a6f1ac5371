import { AsyncResource } from 'node:async_hooks'
import { Client, type Dispatcher } from 'undici'

/**
 * A connection of a pool. What waited there for a connection is sent in the callback of what freed it, but in the async
 * context of its own caller, which the handlers of undici's `request()` hold.
 */
export class CallerClient extends Client {
  override dispatch (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (handler instanceof AsyncResource) return handler.runInAsyncScope(super.dispatch, this, options, handler)
    return super.dispatch(options, handler)
  }
}

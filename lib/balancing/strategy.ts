import type { Endpoint } from './endpoint.ts'

/** What a strategy is told of the call that it picks for. */
export interface PickContext {
  /** The service that is called. */
  readonly service: string
  /** What the caller gave as `balance.key`. */
  readonly key: string | undefined
  /** Where the call has been already: not to be picked again. Usually empty. */
  readonly tried: readonly Endpoint[]
}

/**
 * Says where the next attempt goes. It sees one service, does no I/O, and reads no clock.
 *
 * The list holds at least one endpoint that was not tried. It is another array whenever it, or anything in it, has
 * changed: whatever is worked out from it may be kept until then. Either every weight is above 0, or every one is 0,
 * which means that all count the same.
 */
export interface Strategy {
  /** One of the endpoints that were not tried; `undefined` if the strategy wants none of them. */
  pick (endpoints: readonly Endpoint[], context: PickContext): Endpoint | undefined
}

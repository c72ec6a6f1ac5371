import type { Endpoint } from './endpoint.ts'

/** What a strategy is told of the call that it picks for. */
export interface PickContext {
  /** The service that is called. */
  readonly service: string
  /** What the caller gave as `balance.key`. */
  readonly key: string | undefined
  /** Where the call has been already: not to be picked again. Usually empty. */
  readonly tried: readonly Endpoint[]
  /** The clock's time. */
  readonly now: number
  /** Whether the call goes on to another instance if this attempt fails. */
  readonly repeatable: boolean
}

/**
 * Says where the next attempt goes. It sees one service, and does no I/O.
 *
 * The list holds at least one endpoint that was not tried. It is another array whenever it, or anything in it, has
 * changed: whatever is worked out from it may be kept until then. Either every weight is above 0, or every one is 0,
 * which means that all count the same.
 */
export interface Strategy {
  /**
   * What decides. `turn`: nothing but whose turn it is. `load`: how busy or slow they are. `choice`: the call itself,
   * so that it must not be sent anywhere else to try out an instance.
   */
  readonly goesBy: 'turn' | 'load' | 'choice'
  /**
   * One of the endpoints that are not closed; `undefined` if the strategy wants none of them.
   *
   * @param closed default: those that were tried. One that goes by choice may be given more
   */
  pick (endpoints: readonly Endpoint[], context: PickContext, closed?: readonly Endpoint[]): Endpoint | undefined
}

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
  /** Whether an attempt follows. Only then may an ejected endpoint be picked, to find out how it is. */
  readonly sends: boolean
  /** Whether the call goes on to another instance if this attempt fails. */
  readonly repeatable: boolean
  /** Whether an attempt would have to wait there for a connection. */
  isFull (endpoint: Endpoint): boolean
}

export type MayPick = (endpoint: Endpoint, context: PickContext) => boolean

/** Whether the call has not been there, and need not wait there. */
export function isOpen (endpoint: Endpoint, context: PickContext): boolean {
  return (context.tried.length === 0 || !context.tried.includes(endpoint)) && !context.isFull(endpoint)
}

/**
 * Says where the next attempt goes. It sees one service, and does no I/O.
 *
 * The list is not empty. It is another array whenever it, or anything in it, has changed: whatever is worked out from
 * it may be kept until then. Either every weight is above 0, or every one is 0, which means that all count the same.
 */
export interface Strategy {
  /**
   * What decides. `turn`: nothing but whose turn it is. `load`: how busy or slow they are. `choice`: the call itself,
   * so that it must not be sent anywhere else to try out an instance.
   */
  readonly goesBy: 'turn' | 'load' | 'choice'
  /**
   * One of the endpoints that may be picked; `undefined` if there is none, or the strategy wants none.
   *
   * @param mayPick default: those that are open
   */
  pick (endpoints: readonly Endpoint[], context: PickContext, mayPick?: MayPick): Endpoint | undefined
}

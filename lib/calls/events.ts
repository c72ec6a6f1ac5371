import type { Endpoint } from '../balancing/endpoint.ts'
import type { Ejection } from '../balancing/outlier.ts'
import type { Outcome } from '../balancing/outcome.ts'
import type { ServiceInstance } from '../consul/instance.ts'

/** Where messages of one kind go. Nothing is made while nobody listens. */
export interface EventSink<T> {
  readonly hasSubscribers: boolean
  publish (message: T): void
}

/** An instance was chosen. */
export interface PickMessage {
  readonly service: string
  readonly instance: ServiceInstance
  /** Instances that the call has been to before. */
  readonly tried: number
}

/**
 * An attempt got the headers of its response, or failed without. If the response breaks off later, a second message of
 * the same attempt says so: who counts attempts leaves those out that are `broken`.
 */
export interface AttemptMessage {
  readonly service: string
  readonly instance: ServiceInstance
  /** What it says of the instance: `neutral` if the reason was not the instance's. */
  readonly outcome: Outcome
  /** Milliseconds from the beginning of the attempt until then. */
  readonly duration: number
  /** Of the response. */
  readonly status: number | undefined
  readonly error: Error | undefined
  /** The response broke off after its headers, which another message has told of before. */
  readonly broken: boolean
}

/** A call goes on to another instance, or to the same one after a connection that was closed while it was idle. */
export interface RetryMessage {
  readonly service: string
  /** Where the attempt failed. */
  readonly instance: ServiceInstance
  /** Whether any of the request may have reached it: then it counts against the retry budget. */
  readonly sent: boolean
  readonly error: Error
}

/**
 * An instance fails too much, and is left out for a while. Another one before its return: it has failed again when that
 * was over. Times are those of `performance.now()`.
 */
export interface EjectionMessage {
  readonly service: string
  readonly instance: ServiceInstance
  readonly ejection: Ejection
}

/** An instance that was left out gets calls again, or has left: once for each instance that was told to be ejected. */
export interface ReturnMessage {
  readonly service: string
  readonly instance: ServiceInstance
  /** Whether it has left, or may not be called now for another reason: it is critical, or in maintenance. */
  readonly left: boolean
}

/** A call has ended: its response was read to the end, or it failed. */
export interface EndMessage {
  /** As it was called: what a URL says need not be the name of any service. */
  readonly service: string
  /** The last one that it was at; `undefined`: there was none. */
  readonly instance: ServiceInstance | undefined
  /** Of the response that the caller got. */
  readonly status: number | undefined
  readonly error: Error | undefined
  /** Whether it was ended from outside: by the caller, a deadline or a body that broke. */
  readonly aborted: boolean
}

/** What calls say of themselves while they run. */
export interface CallEvents {
  readonly pick: EventSink<PickMessage>
  readonly attempt: EventSink<AttemptMessage>
  readonly retry: EventSink<RetryMessage>
  readonly ejection: EventSink<EjectionMessage>
  readonly return: EventSink<ReturnMessage>
  readonly end: EventSink<EndMessage>
}

export function tellPick ({ pick }: Pick<CallEvents, 'pick'>, instance: ServiceInstance, tried: number): void {
  if (pick.hasSubscribers) pick.publish({ service: instance.name, instance, tried })
}

/** The attempt that failed, and how. */
export function tellRetry (
  { retry }: Pick<CallEvents, 'retry'>,
  { endpoint: { instance }, sent }: { readonly endpoint: Endpoint, readonly sent: boolean }, error: Error
): void {
  if (retry.hasSubscribers) retry.publish({ service: instance.name, instance, sent, error })
}

/** The last attempt, if there was any, and what came of the call. */
export function tellEnd (
  { end }: Pick<CallEvents, 'end'>, service: string,
  attempt: { readonly endpoint: Endpoint, readonly status: number | undefined } | undefined,
  error: Error | undefined, aborted: boolean
): void {
  if (!end.hasSubscribers) return
  end.publish({ service, instance: attempt?.endpoint.instance, status: attempt?.status, error, aborted })
}

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

/** What calls say of themselves while they run. */
export interface CallEvents {
  readonly pick: EventSink<PickMessage>
  readonly attempt: EventSink<AttemptMessage>
  readonly retry: EventSink<RetryMessage>
  readonly ejection: EventSink<EjectionMessage>
  readonly return: EventSink<ReturnMessage>
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

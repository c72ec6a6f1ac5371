/** Instances that a request is taken to as long as none of them gets to see it. */
const maxInstances = 5

/** Errors of undici's that the request itself is the reason for: no instance would take it. */
const faultsOfRequest: ReadonlySet<unknown> = new Set([
  'UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH'
])

/** How an attempt failed. */
export interface Failure {
  readonly error: Error
  /** Whether any of the request may have reached the instance. */
  readonly sent: boolean
  /** Instances that were tried, this one included. */
  readonly tried: number
}

/** On to another instance, give up on the service, or leave the error to the caller. */
export type Verdict = 'retry' | 'unreachable' | 'final'

/**
 * What happens after an attempt failed. A request that was not sent goes on to another instance, whatever its method:
 * nothing can happen twice. What was sent is not sent again.
 */
export function afterFailure ({ error, sent, tried }: Failure): Verdict {
  if (sent || isFaultOfRequest(error)) return 'final'
  return tried < maxInstances ? 'retry' : 'unreachable'
}

/** Whether no instance would take the request. */
export function isFaultOfRequest (error: Error): boolean {
  return 'code' in error && faultsOfRequest.has(error.code)
}

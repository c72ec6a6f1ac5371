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

export function isFaultOfRequest (error: Error): boolean {
  return 'code' in error && faultsOfRequest.has(error.code)
}

/** Whether no byte of the request has left, for a reason that another instance may not have. */
export function isUnsent ({ error, sent }: Failure): boolean {
  return !sent && !isFaultOfRequest(error)
}

/**
 * Whether a request goes to another instance after an attempt failed: if it was not sent, whatever its method, as
 * nothing can happen twice. What was sent is not sent again.
 */
export function mayRetry (failure: Failure): boolean {
  return isUnsent(failure) && failure.tried < maxInstances
}

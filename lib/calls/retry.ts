import { errors, type Dispatcher } from 'undici'
import type { Random } from '../clock.ts'
import { AttemptTimeoutError } from '../errors.ts'
import { noInstanceHeader } from '../no-instance-header.ts'

/** Instances that a request is taken to as long as none of them gets to see it. */
const maxInstances = 5

/** Methods that may be carried out twice. Source: RFC 9110, 9.2.2. */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])

/** Errors of undici's that the request itself is the reason for, or ours for `calls.tls`: no instance would take it. */
const faultsOfRequest: ReadonlySet<unknown> = new Set([
  'UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', 'FST_CONSUL_INVALID_OPTION'
])

/**
 * Errors that say nothing of an instance: the caller gave up its body, or gave one that cannot be written, or this
 * process has no more sockets, ports or memory, or lacks IPv6.
 */
const faultsOfCaller: ReadonlySet<unknown> = new Set([
  'UND_ERR_ABORTED', 'ERR_INVALID_ARG_TYPE',
  'EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM', 'EAFNOSUPPORT'
])

/** What becomes of a connection: undici's word for it, and the kernel's. */
const breaks: ReadonlySet<unknown> = new Set([
  'UND_ERR_SOCKET', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'
])

/** Milliseconds. Source: Envoy's `retry_back_off`, a base of 25 ms and ten times that at the most. */
const backoff = { base: 25, max: 250 } as const

/** How an attempt failed. */
export interface Failure {
  readonly error: Error
  /** Whether any of the request may have reached the instance. */
  readonly sent: boolean
  /** Whether the caller has begun to get the response. */
  readonly answered: boolean
  /** Attempts of the call that did not get as far as sending, this one included. */
  readonly unsent: number
}

/** On to another instance, the same if the request may be repeated, give up on the service, or leave the error. */
export type Verdict = 'elsewhere' | 'repeat' | 'unreachable' | 'final'

/**
 * What happens after an attempt failed. A request that was not sent goes on to another instance, whatever its method:
 * nothing can happen twice. One that was sent and got no answer is repeated if that does no harm.
 */
export function afterFailure ({ error, sent, answered, unsent }: Failure): Verdict {
  if (isFaultOfRequest(error)) return 'final'
  if (!sent) return unsent < maxInstances ? 'elsewhere' : 'unreachable'
  return !answered && isNoAnswer(error) ? 'repeat' : 'final'
}

/** Whether there was nothing that could be read as an answer. */
function isNoAnswer (error: Error): boolean {
  return isBreak(error) || error instanceof AttemptTimeoutError || error instanceof errors.HTTPParserError ||
    error instanceof errors.HeadersOverflowError || error instanceof errors.HeadersTimeoutError
}

/** Whether a response that had begun was lost: with its connection, or as it could not be read, or did not go on. */
export function isLostResponse (error: Error): boolean {
  return isBreak(error) || error instanceof errors.HTTPParserError || error instanceof errors.BodyTimeoutError ||
    error instanceof errors.ResponseContentLengthMismatchError
}

/** Whether it says nothing of the instance that the attempt failed. */
export function isFaultOfCaller (error: Error): boolean {
  return isFaultOfRequest(error) || isFaultOfHost(error) || ('code' in error && faultsOfCaller.has(error.code))
}

/** Whether no instance would take the request. */
export function isFaultOfRequest (error: Error): boolean {
  return 'code' in error && faultsOfRequest.has(error.code)
}

/** Whether it was the Host of the one request: others may have another, which the certificate is for. */
export function isFaultOfHost (error: Error): boolean {
  return 'code' in error && error.code === 'ERR_TLS_CERT_ALTNAME_INVALID'
}

/** Whether the connection was lost. */
export function isBreak (error: Error): boolean {
  return 'code' in error && breaks.has(error.code)
}

/** Whether an instance, or a proxy in front of it, says by this status that it cannot serve the request. */
export function isRefusal (status: number): boolean {
  return status === 502 || status === 503 || status === 504
}

/** Whether the instance could do nothing about it: a service further down has no instance. */
export function isOfNoInstance (headers: readonly Buffer[]): boolean {
  return headers.some((name, index) => index % 2 === 0 && name.length === noInstanceHeader.name.length &&
    name.toString('latin1').toLowerCase() === noInstanceHeader.name)
}

/** Whether the request may be carried out twice: the caller says so, or else the method. */
export function isIdempotent ({ idempotent, method }: Dispatcher.DispatchOptions): boolean {
  return idempotent ?? idempotentMethods.has(method)
}

/** How long to wait before the request is sent for the so many-th time again, from 1. Full jitter. Milliseconds. */
export function delayBefore (repeat: number, random: Random): number {
  return random() * Math.min((2 ** repeat - 1) * backoff.base, backoff.max)
}

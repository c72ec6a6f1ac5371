import createFastifyError, { type FastifyErrorConstructor } from '@fastify/error'
import { nameRule } from './name.ts'
import { noInstanceHeader } from './no-instance-header.ts'

/** With a type that has a name of its own: the one in the declaration of `createError` is lost on bundlers. */
function createError<Arguments extends unknown[]> (
  code: string, message: string, statusCode: number, Base?: ErrorConstructor
): FastifyErrorConstructor<{ code: string }, Arguments> {
  return createFastifyError<Arguments>(code, message, statusCode, Base)
}

/** Every error that this package throws, by its code. The last argument may be `{ cause }`. */

/** An option or environment variable that cannot be used. `option, expected, received`. */
export const InvalidOptionError = createError<[string, string, string, ErrorOptions?]>(
  'FST_CONSUL_INVALID_OPTION', '%s must be %s, got %s', 500, TypeError)

/** A name or id that cannot be asked for. `name`. */
export const InvalidNameError = createError<[string]>(
  'FST_CONSUL_INVALID_NAME', `A name must be ${nameRule}, got %s`, 400, TypeError)

/** On a reply that one of these errors has become: Fastify sends an error's `headers`. */
const headers = Object.freeze({ [noInstanceHeader.name]: noInstanceHeader.value })

/** Consul has never answered and there is no fallback. `what failed, what to do`. */
export const UnavailableError = createError<[string, string, ErrorOptions?]>(
  'FST_CONSUL_UNAVAILABLE', '%s. %s', 503)

/** The service has no instance that may be called now. `service, why`. */
export const NoInstanceError = createError<[string, string, ErrorOptions?]>(
  'FST_CONSUL_NO_INSTANCE', 'No instance of %s can be called: %s', 503)

for (const { prototype } of [UnavailableError, NoInstanceError]) {
  Object.defineProperty(prototype, 'headers', { value: headers })
}

/** `calls.allow` does not list the service. `service`. */
export const NotAllowedError = createError<[string]>(
  'FST_CONSUL_NOT_ALLOWED', 'The service %s is not listed in calls.allow', 403)

/** A call to an instance got no response headers in time. `service, instance, ms, what set them`. */
export const AttemptTimeoutError = createError<[string, string, number, string]>(
  'FST_CONSUL_ATTEMPT_TIMEOUT', '%s answered no headers from %s within %d ms (%s)', 504)

/** A call could not be sent, as all instances had `calls.connections` requests under way. `service, what it met`. */
export const BusyError = createError<[string, string]>(
  'FST_CONSUL_BUSY', 'All connections to %s are in use: %s', 503)

/** A call, all its attempts together, took longer than its deadline. `service, ms, what set them`. */
export const DeadlineError = createError<[string, number, string]>(
  'FST_CONSUL_DEADLINE', 'The call to %s did not end within %d ms (%s)', 504)

/** Two readiness checks of one name. `name`. */
export const DuplicateCheckError = createError<[string]>(
  'FST_CONSUL_DUPLICATE_CHECK', 'A health check named %s was added already: names must be unique', 500)

/** A health route exists already. `path, option`. */
export const DuplicateRouteError = createError<[string, string, ErrorOptions?]>(
  'FST_CONSUL_DUPLICATE_ROUTE', 'The route GET %s exists already: set %s to another path, or health to false', 500)

/** The registry was used after `close()`. `what was called`. */
export const ClosedError = createError<[string]>(
  'FST_CONSUL_CLOSED', '%s was called after close()', 503)

/** No answer from Consul's HTTP API. `request, reason`. */
export const ApiUnreachableError = createError<[string, string, ErrorOptions?]>(
  'FST_CONSUL_API_UNREACHABLE', 'Consul did not answer %s: %s', 503)

/** Consul's HTTP API took longer than the deadline of the request. `request, ms`. */
export const ApiTimeoutError = createError<[string, number]>(
  'FST_CONSUL_API_TIMEOUT', 'Consul did not answer %s within %d ms', 504)

/** Something answered that is not Consul's HTTP API, or a damaged answer. `request, what came`. */
export const ApiAnswerError = createError<[string, string, ErrorOptions?]>(
  'FST_CONSUL_API_ANSWER', 'The answer to %s is not what Consul sends: %s', 502)

type ApiErrorArguments = [request: string, status: number, text: string]

/** Consul refused the request: the token, its rights, or a blocked endpoint. `request, status, text`. */
export const ApiForbiddenError = createError<ApiErrorArguments>(
  'FST_CONSUL_API_FORBIDDEN', 'Consul forbids %s (%d): %s', 502)

/** Consul does not know the service or check (404, or 500 in versions before 1.11). `request, status, text`. */
export const ApiNotFoundError = createError<ApiErrorArguments>(
  'FST_CONSUL_API_NOT_FOUND', 'Consul does not know what %s names (%d): %s', 502)

/** The agent's connection limit or a server's rate limit. `request, status, text`. */
export const ApiRateLimitedError = createError<ApiErrorArguments>(
  'FST_CONSUL_API_RATE_LIMITED', 'Consul limits %s (%d): %s', 503)

/** Any other status that is not a success. `request, status, text`. */
export const ApiStatusError = createError<ApiErrorArguments>(
  'FST_CONSUL_API_STATUS', 'Consul answered %s with %d: %s', 502)

/** Why the signal of a health check aborted: its limit. `name, ms`. */
export const CheckTimeoutError = createError<[string, number]>(
  'FST_CONSUL_CHECK_TIMEOUT', 'The health check %s did not settle within %d ms', 504)

/** There is no ACL token to send. `where it comes from, why`. */
export const TokenError = createError<[string, string, ErrorOptions?]>(
  'FST_CONSUL_TOKEN', 'No ACL token could be had from %s: %s', 500)

/** Why `app.consul.signal` aborted. */
export const LeavingError = createError<[]>(
  'FST_CONSUL_LEAVING', 'The service is leaving: it is being taken out of Consul', 503)

/** Why a call has gone on to another instance: what the one before answered. `instance, status`. */
export const RefusedError = createError<[string, number]>(
  'FST_CONSUL_REFUSED', '%s answered %d', 502)

/** Another process registers under the same service id, again and again. `id, own address, the other's address`. */
export const ConflictError = createError<[string, string, string]>(
  'FST_CONSUL_CONFLICT', 'Two services register as %s, one at %s and one at %s: give each its own service.id', 500)

/** The agent took the registration, and the catalog does not get it. `id, why`. */
export const NotSyncedError = createError<[string, string, ErrorOptions?]>(
  'FST_CONSUL_NOT_SYNCED', 'The agent took %s, but the catalog does not show it: %s', 502)

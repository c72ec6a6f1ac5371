import {
  ApiAnswerError, ApiForbiddenError, ApiNotFoundError, ApiRateLimitedError, ApiStatusError
} from '../errors.ts'
import type { ApiResponse } from './transport.ts'
import type { Answer } from './wire.ts'

/** Consul's own words in an error; long enough for any of them, short enough for a log line. */
const maxText = 500

/** Before 1.11 an unknown service or check was a 500. gRPC's "unknown service" is another matter. */
const unknownThing = /unknown (?:service|check) (?:id\b|")|does not have associated TTL/i

/** The error that a status stands for. */
export function statusError (what: string, { status, text }: ApiResponse): Error {
  const words = text.trim().slice(0, maxText)
  if (status === 403) return new ApiForbiddenError(what, status, words)
  if (status === 404 || (status === 500 && unknownThing.test(words))) return new ApiNotFoundError(what, status, words)
  if (status === 429) return new ApiRateLimitedError(what, status, words)
  return new ApiStatusError(what, status, words)
}

/** Consul's status, of those that have no error of their own. */
export function statusIn (error: unknown): number | undefined {
  if (!(error instanceof ApiStatusError)) return undefined
  return Number(/ with (\d{3}): /.exec(error.message)?.[1])
}

/**
 * The JSON of a successful answer.
 *
 * @throws FST_CONSUL_API_ANSWER if it is none, or not of the expected kind
 */
export function readAnswer<T> (
  what: string, response: ApiResponse, isExpected: (value: unknown) => boolean
): Answer<T> {
  const value = parse(what, response)
  if (!isExpected(value)) throw new ApiAnswerError(what, `JSON of another kind (${kindOf(value)})`)
  return {
    value: value as T,
    index: header(response, 'x-consul-index'),
    hash: header(response, 'x-consul-contenthash'),
    filteredByAcls: header(response, 'x-consul-results-filtered-by-acls') === 'true'
  }
}

/** Nothing of the text is repeated: whoever sent it is not Consul and may have been told our token. */
function parse (what: string, response: ApiResponse): unknown {
  try {
    return JSON.parse(response.text)
  } catch {
    const type = header(response, 'content-type') ?? 'no content type'
    throw new ApiAnswerError(what, `not JSON (${type}, ${response.text.length} characters)`)
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function header ({ headers }: ApiResponse, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

function kindOf (value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { buildConnector, Pool } from 'undici'
import { abortable } from '../abortable.ts'
import { systemClock } from '../clock.ts'
import { ApiTimeoutError, ApiUnreachableError, ClosedError, TokenError } from '../errors.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import { credentialsOf, redact, type Credentials } from './credentials.ts'

export type ConnectionOptions = Pick<ResolvedOptions,
  'url' | 'socketPath' | 'auth' | 'token' | 'tls' | 'namespace' | 'partition' | 'timeout'>

export type QueryParameters = Readonly<Record<string, string | number | boolean | undefined>>

export interface ApiRequest {
  readonly method: 'GET' | 'PUT'
  /** Below `/v1`, encoded. */
  readonly path: string
  /** A parameter that is `true` stands without a value; `undefined` and `false` are left out. */
  readonly query?: QueryParameters
  readonly body?: unknown
  /** Milliseconds from now to the last byte of the answer. */
  readonly deadline: number
  /** A blocking query: it has connections of its own, so that it holds up no other request. */
  readonly blocking?: boolean
  readonly signal?: AbortSignal | undefined
}

export interface ApiResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The body; without our own secrets if the status is no success, so that it can stand in an error. */
  readonly text: string
}

export interface BlockingConnections {
  /** How many blocking queries can be under way; more wait for their turn. */
  readonly limit: number
  /** Whether one that is under way keeps the process alive. */
  readonly keepAlive: boolean
}

/** For all that is no blocking query. An agent closes everything over 200 connections of one address. */
const callConnections = 6

/** The HTTP connections to one agent. It knows bytes, statuses and deadlines, and nothing of what they mean. */
export class Transport {
  readonly #options: ConnectionOptions
  readonly #prefix: string
  readonly #calls: Pool
  readonly #blocking: Pool
  #localAddress: string | undefined
  #closed = false

  constructor (options: ConnectionOptions, blocking: BlockingConnections) {
    this.#options = options
    const { origin, pathname } = new URL(options.url)
    this.#prefix = `${pathname.replace(/\/$/, '')}/v1`
    const { socketPath, timeout, tls: { ca, cert, key, servername, rejectUnauthorized } } = options
    const given = defined({ socketPath, ca, cert, key, servername, rejectUnauthorized })
    const connector = buildConnector({ timeout, ...given })
    const pool = (connections: number, onSocket: (socket: Socket) => void) => new Pool(origin, {
      connections,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (target, done) => connector(target, (...result) => {
        const [error, socket] = result
        if (error === null) onSocket(socket as Socket)
        done(...result)
      })
    })
    this.#calls = pool(callConnections, socket => { this.#localAddress = socket.localAddress })
    this.#blocking = pool(blocking.limit, blocking.keepAlive ? () => {} : keepNoProcessAlive)
  }

  /** This end of the newest connection to the agent: the address by which this machine reaches it. */
  get localAddress (): string | undefined {
    return this.#localAddress
  }

  /**
   * @throws FST_CONSUL_API_TIMEOUT when the deadline has passed
   * @throws FST_CONSUL_API_UNREACHABLE when there is no connection, or it broke
   * @throws FST_CONSUL_TOKEN when there is no token to send
   * @throws FST_CONSUL_CLOSED after `close()`
   * @throws the signal's reason
   */
  async send (request: ApiRequest): Promise<ApiResponse> {
    const { deadline, signal } = request
    if (this.#closed) throw new ClosedError(nameOf(request))
    signal?.throwIfAborted()
    const limit = new AbortController()
    const abort = () => limit.abort(signal?.reason)
    let late = (): Error => new TokenError('the token option', `it took longer than ${deadline} ms`)
    const stopTimer = systemClock.after(deadline, () => limit.abort(late()))
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const credentials = await abortable(credentialsOf(this.#options), limit.signal)
      late = () => new ApiTimeoutError(nameOf(request), deadline)
      return await this.#exchange(request, credentials, limit.signal)
    } finally {
      stopTimer()
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Ends every connection; requests under way fail. */
  async close (): Promise<void> {
    this.#closed = true
    await Promise.all([this.#calls.destroy(), this.#blocking.destroy()])
  }

  async #exchange (request: ApiRequest, credentials: Credentials, signal: AbortSignal): Promise<ApiResponse> {
    const { method, path, query, body, blocking = false } = request
    const pool = blocking ? this.#blocking : this.#calls
    const options = {
      method,
      path: `${this.#prefix}${path}${this.#queryString(query)}`,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...credentials.headers
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal
    }
    try {
      const response = await pool.request(options)
      const { statusCode: status, headers } = response
      const text = await response.body.text()
      return { status, headers, text: status === 200 ? text : redact(text, credentials) }
    } catch (error) {
      if (signal.aborted) throw signal.reason
      const reason = this.#closed ? 'the client was closed' : reasonOf(error)
      throw new ApiUnreachableError(nameOf(request), reason, { cause: error })
    }
  }

  #queryString (query: QueryParameters = {}): string {
    const { namespace: ns, partition } = this.#options
    const all: QueryParameters = { ns, partition, ...query }
    const parts = Object.entries(all).flatMap(([name, value]) => {
      if (value === undefined || value === false) return []
      return value === true ? name : `${name}=${encodeURIComponent(wellFormed(String(value)))}`
    })
    return parts.length === 0 ? '' : `?${parts.join('&')}`
  }
}

const nameOf = ({ method, path }: ApiRequest): string => `${method} /v1${path}`

/** Halves of characters, which no URL can hold, are replaced as a URL's own parser does. */
const wellFormed = (text: string): string => text.replace(/\p{Cs}/gu, '\ufffd')

/** A query that waits for a change is no reason to go on living; undici takes a reference for every request. */
function keepNoProcessAlive (socket: Socket): void {
  socket.unref()
  socket.ref = () => socket
}

function defined<T extends object> (fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as
    { [K in keyof T]?: NonNullable<T[K]> }
}

/** Some errors have a code and no message: those of a name with several addresses. */
function reasonOf (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { message, code = '' } = error as NodeJS.ErrnoException
  return message.includes(code) ? message : `${message} ${code}`.trim()
}

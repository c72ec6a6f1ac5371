import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { errors, Pool } from 'undici'
import { abortable } from '../abortable.ts'
import { afterReading, systemClock } from '../clock.ts'
import { ApiAnswerError, ApiTimeoutError, ApiUnreachableError, ClosedError, TokenError } from '../errors.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import { maxAnswer, textOf } from './body.ts'
import { CallerClient } from './caller-client.ts'
import { reasonOf } from './connection-error.ts'
import { connectorOf } from './connector.ts'
import { credentialsOf, redact, type Credentials } from './credentials.ts'
import type { Token } from './token.ts'

export type ConnectionOptions = Pick<ResolvedOptions,
  'url' | 'socketPath' | 'auth' | 'token' | 'tls' | 'namespace' | 'partition' | 'timeout'>

/**
 * Which connections a request may use, so that none waits behind another kind: `agent` is what the agent itself
 * does or knows, as registrations and heartbeats; `catalog` what it asks the servers, who may take long and
 * are asked much; `blocking` what waits for a change; `probe` a question over a connection made for it alone.
 */
export type Lane = 'agent' | 'catalog' | 'blocking' | 'probe'

export type QueryParameters = Readonly<Record<string, string | number | boolean | undefined>>

export interface ApiRequest {
  readonly method: 'GET' | 'PUT' | 'POST'
  /** Below `/v1`, encoded. */
  readonly path: string
  /** A parameter that is `true` stands without a value; `undefined` and `false` are left out. */
  readonly query?: QueryParameters
  readonly body?: unknown
  /** Milliseconds from now to the last byte of the answer. */
  readonly deadline: number
  /** Default `agent`. */
  readonly lane?: Lane
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

/**
 * An agent closes everything over 200 connections of one address. Without quorum it holds a write for up to 15 s, and
 * a read of the catalog for 7: a heartbeat has to pass meanwhile.
 */
const agentConnections = 2
const catalogConnections = 3

/** The HTTP connections to one agent. It knows bytes, statuses and deadlines, and nothing of what they mean. */
export class Transport {
  readonly #options: ConnectionOptions
  readonly #token: Token
  readonly #prefix: string
  readonly #pools: Readonly<Record<Lane, Pool>>
  #localAddress: string | undefined
  #closed = false

  constructor (options: ConnectionOptions, token: Token, blocking: BlockingConnections) {
    this.#options = options
    this.#token = token
    const { origin, pathname } = new URL(options.url)
    this.#prefix = `${pathname.replace(/\/$/, '')}/v1`
    const connector = connectorOf(options)
    const pool = (connections: number, onSocket: (socket: Socket) => void, pipelining = 1) => new Pool(origin, {
      connections,
      pipelining,
      headersTimeout: 0,
      bodyTimeout: 0,
      factory: (origin, options) => new CallerClient(origin, options),
      connect: (target, done) => connector(target, (...result) => {
        const [error, socket] = result
        if (error === null) onSocket(socket as Socket)
        done(...result)
      })
    })
    const remember = (socket: Socket) => { this.#localAddress = socket.localAddress }
    this.#pools = {
      agent: pool(agentConnections, remember),
      catalog: pool(catalogConnections, remember),
      blocking: pool(blocking.limit, blocking.keepAlive ? () => {} : keepNoProcessAlive),
      probe: pool(1, remember, 0) // 0: no connection is used twice.
    }
  }

  /** This end of the newest connection to the agent: the address by which this machine reaches it. */
  get localAddress (): string | undefined {
    return this.#localAddress
  }

  /**
   * A 403 asks for the token again: one that was rotated may be sent once more.
   *
   * @throws FST_CONSUL_API_TIMEOUT when the deadline has passed
   * @throws FST_CONSUL_API_UNREACHABLE when there is no connection, or it broke
   * @throws FST_CONSUL_API_ANSWER when the answer is too large for one of Consul's
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
    const stopTimer = afterReading(systemClock, deadline, () => limit.abort(late()))
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const credentials = await this.#credentials(limit.signal)
      late = () => new ApiTimeoutError(nameOf(request), deadline)
      const response = await this.#exchange(request, credentials, limit.signal)
      if (response.status !== 403) return response
      const renewed = await this.#credentials(limit.signal).catch(() => credentials)
      signal?.throwIfAborted()
      if (renewed.token === credentials.token) return response
      return await this.#exchange(request, renewed, limit.signal)
    } finally {
      stopTimer()
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Ends every connection; requests under way fail. */
  async close (): Promise<void> {
    this.#closed = true
    await Promise.all(Object.values(this.#pools).map(pool => pool.destroy()))
  }

  #credentials (signal: AbortSignal): Promise<Credentials> {
    return abortable(credentialsOf(this.#options.auth, this.#token), signal)
  }

  async #exchange (request: ApiRequest, credentials: Credentials, signal: AbortSignal): Promise<ApiResponse> {
    const { method, path, query, body, lane = 'agent' } = request
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
      const { statusCode: status, headers, body: stream } = await this.#pools[lane].request(options)
      const text = await textOf(stream)
      if (text === undefined) throw new ApiAnswerError(nameOf(request), `more than ${maxAnswer} bytes`)
      return { status, headers, text: status === 200 ? text : redact(text, credentials) }
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (error instanceof ApiAnswerError) throw error
      const reason = this.#closed ? 'the client was closed' : reasonOf(error)
      throw new ApiUnreachableError(nameOf(request), reason, { cause: withoutText(error) })
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

/** The error of what is no HTTP repeats what came, and whoever sent it may have been told our token. */
function withoutText (error: unknown): unknown {
  if (error instanceof errors.HTTPParserError) Object.assign(error, { data: undefined })
  return error
}

/** Halves of characters, which no URL can hold, are replaced as a URL's own parser does. */
const wellFormed = (text: string): string => text.replace(/\p{Cs}/gu, '\ufffd')

/** A query that waits for a change is no reason to go on living; undici takes a reference for every request. */
function keepNoProcessAlive (socket: Socket): void {
  socket.unref()
  socket.ref = () => socket
}

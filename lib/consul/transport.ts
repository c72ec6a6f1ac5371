import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { buildConnector, Pool } from 'undici'
import { ApiTimeoutError, ApiUnreachableError } from '../errors.ts'
import type { ResolvedOptions } from '../resolved-options.ts'
import { currentToken } from './token.ts'

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
  readonly text: string
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

  constructor (options: ConnectionOptions, blockingConnections: number) {
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
    this.#blocking = pool(blockingConnections, keepNoProcessAlive)
  }

  /** This end of the newest connection to the agent: the address by which this machine reaches it. */
  get localAddress (): string | undefined {
    return this.#localAddress
  }

  /**
   * @throws FST_CONSUL_API_TIMEOUT when the deadline has passed
   * @throws FST_CONSUL_API_UNREACHABLE when there is no connection, or it broke
   * @throws the signal's reason
   */
  async send (request: ApiRequest): Promise<ApiResponse> {
    const { method, path, deadline, signal, body } = request
    const what = `${method} /v1${path}`
    signal?.throwIfAborted()
    const limit = new AbortController()
    const abort = () => limit.abort(signal?.reason)
    const timer = setTimeout(() => limit.abort(new ApiTimeoutError(what, deadline)), deadline).unref()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const headers = await this.#headers(body !== undefined)
      const pool = request.blocking === true ? this.#blocking : this.#calls
      const response = await pool.request({
        method,
        path: `${this.#prefix}${path}${this.#queryString(request.query)}`,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        signal: limit.signal
      })
      return { status: response.statusCode, headers: response.headers, text: await response.body.text() }
    } catch (error) {
      if (limit.signal.aborted) throw limit.signal.reason
      throw new ApiUnreachableError(what, reasonOf(error), { cause: error })
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Ends every connection; requests under way fail. */
  async close (): Promise<void> {
    await Promise.all([this.#calls.destroy(), this.#blocking.destroy()])
  }

  async #headers (withBody: boolean): Promise<Record<string, string>> {
    const { auth, token: source } = this.#options
    const token = await currentToken(source)
    return {
      accept: 'application/json',
      ...(withBody && { 'content-type': 'application/json' }),
      ...(auth !== undefined && { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }),
      ...(token !== undefined && token !== '' && { 'x-consul-token': token })
    }
  }

  #queryString (query: QueryParameters = {}): string {
    const { namespace: ns, partition } = this.#options
    const all: QueryParameters = { ns, partition, ...query }
    const parts = Object.entries(all).flatMap(([name, value]) => {
      if (value === undefined || value === false) return []
      return value === true ? name : `${name}=${encodeURIComponent(value)}`
    })
    return parts.length === 0 ? '' : `?${parts.join('&')}`
  }
}

/** A query that waits for a change is no reason to go on living; undici takes a reference for every request. */
function keepNoProcessAlive (socket: Socket): void {
  socket.unref()
  socket.ref = () => socket
}

function defined<T extends object> (fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as
    { [K in keyof T]?: NonNullable<T[K]> }
}

function reasonOf (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  return [error.message, code].filter(part => part !== undefined && part !== '').join(' ')
}

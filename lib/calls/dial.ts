import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'
import { errors, type buildConnector } from 'undici'
import type { ServiceInstance } from '../consul/instance.ts'
import { InvalidOptionError } from '../errors.ts'
import type { Limits } from './limits.ts'

export interface DialOptions {
  /** Limit of making a connection, TLS included. Milliseconds; 0: none. */
  readonly connectTimeout: number
  readonly secureContext: () => SecureContext
  /** Name that certificates must be for, unless the request has a Host of its own. Default: the host that is called. */
  readonly servername: string | undefined
  readonly rejectUnauthorized: boolean
  readonly limits: Limits
}

/** Interval of TCP keep-alive. Source: undici's own. Milliseconds. */
const keepAlive = 60_000

export type Dial = (request: buildConnector.Options, callback: buildConnector.Callback) => Socket

/**
 * Connects to an instance whatever host undici believes to connect to, so that Host and SNI say the service's name.
 * undici's own timer for this is up to a second late.
 */
export function dialer (instance: ServiceInstance, options: DialOptions): Dial {
  const place = { host: instance.address, port: instance.port }
  let session: { readonly name: string, readonly ticket: Buffer } | undefined

  function secure ({ host, servername }: buildConnector.Options): Socket {
    const name = servername ?? options.servername ?? String(host).replace(/\.$/, '')
    return connectTls({
      ...place,
      servername: name,
      secureContext: secureContextOf(options),
      rejectUnauthorized: options.rejectUnauthorized,
      ALPNProtocols: ['http/1.1'],
      ...(session?.name === name && { session: session.ticket })
    }).on('session', ticket => { session = { name, ticket } })
  }

  return function dial (request, callback) {
    const isSecure = request.protocol === 'https:'
    const socket = isSecure ? secure(request) : connectTcp(place)
    const stopTimer = startTimer(socket, instance, options)
    const fail = (error: Error): void => callback(error, null)
    return socket.setNoDelay(true).setKeepAlive(true, keepAlive)
      .once('close', stopTimer)
      .once('error', fail)
      .once(isSecure ? 'secureConnect' : 'connect', () => {
        stopTimer()
        socket.off('error', fail)
        callback(null, socket)
      })
  }
}

/** What OpenSSL says of our own certificates must not pass for a failure of the instance. */
function secureContextOf ({ secureContext }: DialOptions): SecureContext {
  try {
    return secureContext()
  } catch (error) {
    const { reason = 'material that is none' } = error as { reason?: string }
    throw new InvalidOptionError('calls.tls', 'certificates and a key that TLS can use', reason)
  }
}

function startTimer (
  socket: Socket, { address, port }: ServiceInstance, { connectTimeout, limits }: DialOptions
): () => void {
  let limit = limits.start(connectTimeout, { expire })
  let isFirst = true
  function expire (isLate: boolean): void {
    // Where this process stood still, the connection may be about to come, and whoever accepts it is not to blame. But
    // where it always does, that must have an end.
    if (isLate && isFirst) {
      isFirst = false
      limit = limits.start(connectTimeout, { expire })
      return
    }
    socket.destroy(new errors.ConnectTimeoutError(`No connection to ${address}:${port} within ${connectTimeout} ms`))
  }
  return () => limit?.stop()
}

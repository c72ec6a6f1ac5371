import type { Socket } from 'node:net'
import { buildConnector } from 'undici'
import type { ResolvedTls } from '../options/resolved.ts'
import { TlsMaterial, type Material } from './tls-material.ts'

type Connect = buildConnector.connector

interface ConnectorOptions {
  readonly url: string
  readonly socketPath: string | undefined
  readonly tls: ResolvedTls
  /** Milliseconds. */
  readonly timeout: number
}

/** Makes connections to the agent; over TLS each with what the files hold now, while those that exist go on. */
export function connectorOf ({ url, socketPath, tls, timeout }: ConnectorOptions): Connect {
  if (!url.startsWith('https:')) return buildConnector({ timeout, ...(socketPath !== undefined && { socketPath }) })
  const { servername, rejectUnauthorized } = tls
  const material = new TlsMaterial(tls)
  let last: { connect: Connect, context: Material['context'] } | undefined

  // A connector remembers sessions, and a session spares the other side the look at a certificate.
  function connectorWith (context: Material['context']): Connect {
    if (last?.context === context) return last.connect
    const options = { timeout, rejectUnauthorized, secureContext: context }
    const connect = buildConnector({ ...options, ...(servername !== undefined && { servername }) })
    last = { connect, context }
    return connect
  }

  async function connect (target: buildConnector.Options, done: buildConnector.Callback): Promise<void> {
    const { context, problem } = await material.current()
    try {
      connectorWith(context)(target, (...result) => {
        const [error, socket] = result
        if (error === null) rememberFirstError(socket)
        else if (problem !== undefined) error.message += `; ${problem}`
        done(...result)
      })
    } catch (error) {
      done(error as Error, null)
    }
  }

  return (target, done) => { connect(target, done) }
}

/** A refused client certificate is an error after the handshake, and then only the end of the connection is told. */
function rememberFirstError (socket: Socket): void {
  socket.once('error', first => socket.once('error', later => { later.cause ??= first }))
}

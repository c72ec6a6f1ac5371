import { Server as HttpServer } from 'node:http'
import { Server as HttpsServer } from 'node:https'
import type { Server } from 'node:net'
import { Server as TlsServer } from 'node:tls'

/** What a service listens on. */
export interface Listener {
  /** The bound address, `undefined` if nothing of our own is bound. */
  readonly host: string | undefined
  readonly port: number
  readonly scheme: 'http' | 'https'
  /** Whether it speaks HTTP/1.1, the only version that Consul's http check speaks. */
  readonly http1: boolean
}

/** A port without a server of our own: another one serves the app, or there is no HTTP at all. */
export function listenerOnPort (port: number): Listener {
  return { host: undefined, port, scheme: 'http', http1: true }
}

/** What a listening server is bound to; `undefined` for a unix socket, under which no other machine finds it. */
export function listenerOf (server: Server): Listener | undefined {
  const address = server.address()
  if (address === null || typeof address === 'string') return undefined
  return {
    host: address.address,
    port: address.port,
    scheme: server instanceof TlsServer ? 'https' : 'http',
    http1: speaksHttp1(server)
  }
}

/** Of the HTTP/2 servers only one with TLS, told to allow HTTP/1, does: it then offers it in its ALPN list. */
function speaksHttp1 (server: Server): boolean {
  if (server instanceof HttpServer || server instanceof HttpsServer) return true
  const { ALPNProtocols: offered } = server as Server & { ALPNProtocols?: Buffer }
  return offered?.includes('http/1.1') === true
}

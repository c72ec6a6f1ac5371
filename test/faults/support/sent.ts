import { subscribe } from 'node:diagnostics_channel'
import type { DiagnosticsChannel } from 'undici'

/** Requests that went out to Consul. */
export const queries = { reads: 0, writes: 0 }

/** The port to which a request for work was sent last, by its id. */
export const sentTo = new Map<string, number>()

// As undici itself tells it: what could not be connected was not sent.
subscribe('undici:client:sendHeaders', message => {
  const { request: { method, path }, socket } = message as DiagnosticsChannel.ClientSendHeadersMessage
  if (path.startsWith('/v1/')) queries[method === 'GET' ? 'reads' : 'writes']++
  const [, id] = /^\/work\?id=(\d+)$/.exec(path) ?? []
  if (id !== undefined) sentTo.set(id, socket.remotePort ?? 0)
})

// Loaded into the consumer with --import, as its own code counts nothing: how often it sent a request to an instance,
// told by undici itself, and handed to the demo when that asks for it.
import { subscribe } from 'node:diagnostics_channel'
import type { DiagnosticsChannel } from 'undici'

export interface Attempts {
  /** Requests given to an instance, the first time or again. */
  attempts: number
  /** Of these: not sent, because the instance refused the connection. */
  refused: number
  /** Of these: sent, and lost with the connection. */
  broken: number
}

const counts: Attempts = { attempts: 0, refused: 0, broken: 0 }
const sent = new WeakSet<object>()

count('undici:request:create', () => { counts.attempts++ })
count('undici:client:sendHeaders', request => { sent.add(request) })
count('undici:request:error', request => { counts[sent.has(request) ? 'broken' : 'refused']++ })

process.on('message', () => { process.send?.(counts) })
process.channel?.unref()

/** Calls to Consul are none: their origin is an address. */
function count (channel: string, listener: (request: object) => void): void {
  subscribe(channel, message => {
    const { request } = message as DiagnosticsChannel.RequestCreateMessage
    if (request.origin === 'http://l02-runtime') listener(request)
  })
}

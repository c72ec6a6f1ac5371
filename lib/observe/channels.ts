import { channel } from 'node:diagnostics_channel'
import type { CallEvents } from '../calls/events.ts'

/** What happens to calls, for whoever subscribes with `node:diagnostics_channel`. */
export const channels: CallEvents = {
  pick: channel('fastify-consul:pick'),
  attempt: channel('fastify-consul:attempt'),
  retry: channel('fastify-consul:retry'),
  ejection: channel('fastify-consul:ejection'),
  return: channel('fastify-consul:return'),
  end: channel('fastify-consul:end')
}

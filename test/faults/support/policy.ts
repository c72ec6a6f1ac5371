import { service } from './fleet.ts'

/** What the services of a fleet may do: all that they need. */
export const everything = 'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" }'

/** The same without a right to read who else there is of the service that is called. */
export const noReading = `service "caller" { policy = "write" } service "${service}" { policy = "deny" } ` +
  'node_prefix "" { policy = "read" }'

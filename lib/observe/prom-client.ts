import { createRequire } from 'node:module'
import { InvalidOptionError } from '../errors.ts'

/** What is needed of prom-client. */
export type PromClient = Pick<typeof import('prom-client'), 'Counter' | 'Gauge' | 'Histogram'>

/**
 * prom-client, which only those have who want metrics.
 *
 * @throws FST_CONSUL_INVALID_OPTION if it is not installed
 */
export function promClient (require: (id: string) => unknown = createRequire(import.meta.url)): PromClient {
  try {
    return require('prom-client') as PromClient
  } catch (cause) {
    const expected = 'used with prom-client (npm install prom-client)'
    throw new InvalidOptionError('metrics.register', expected, 'it without that package', { cause })
  }
}

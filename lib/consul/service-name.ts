import { InvalidNameError } from '../errors.ts'
import { isName } from '../name.ts'

/** How much of a name an error repeats. */
const shown = 100

/**
 * The name as one path segment of a URL.
 *
 * @throws FST_CONSUL_INVALID_NAME for what would ask for another path, or what no log line should hold
 */
export function encodeName (name: string): string {
  if (typeof name !== 'string') throw new InvalidNameError(typeof name)
  if (!isName(name)) throw new InvalidNameError(JSON.stringify(name.slice(0, shown)))
  return encodeURIComponent(name)
}

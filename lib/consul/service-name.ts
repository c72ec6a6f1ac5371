import { InvalidNameError } from '../errors.ts'

/** Control characters, and halves of characters, which no URL can hold. */
const unusable = /[\p{Cc}\p{Cs}]/u

/** Names come from users too, and are remembered; those of DNS end at 63. */
const longest = 1000
/** How much of a name an error repeats. */
const shown = 100

/**
 * The name as one path segment of a URL.
 *
 * @throws FST_CONSUL_INVALID_NAME for what would ask for another path, or what no log line should hold
 */
export function encodeName (name: string): string {
  if (typeof name !== 'string') throw new InvalidNameError(typeof name)
  if (name === '' || name === '.' || name === '..' || name.length > longest || unusable.test(name)) {
    throw new InvalidNameError(JSON.stringify(name.slice(0, shown)))
  }
  return encodeURIComponent(name)
}

import { InvalidNameError } from '../errors.ts'

/** Control characters, and halves of characters, which no URL can hold. */
const unusable = /[\p{Cc}\p{Cs}]/u

/**
 * The name as one path segment of a URL.
 *
 * @throws FST_CONSUL_INVALID_NAME for what would ask for another path, or what no log line should hold
 */
export function encodeName (name: string): string {
  if (typeof name !== 'string' || name === '' || name === '.' || name === '..' || unusable.test(name)) {
    throw new InvalidNameError(JSON.stringify(name) ?? String(name))
  }
  return encodeURIComponent(name)
}

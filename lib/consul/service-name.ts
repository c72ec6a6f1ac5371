import { InvalidNameError } from '../errors.ts'

// eslint-disable-next-line no-control-regex
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/

/**
 * The name as one path segment of a URL.
 *
 * @throws FST_CONSUL_INVALID_NAME for what would ask for another path, or what no log line should hold
 */
export function encodeName (name: string): string {
  if (typeof name !== 'string' || name === '' || name === '.' || name === '..' || controlCharacter.test(name)) {
    throw new InvalidNameError(JSON.stringify(name) ?? String(name))
  }
  return encodeURIComponent(name)
}

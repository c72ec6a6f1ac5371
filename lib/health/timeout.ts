import { type Duration, parseDuration } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { shown } from '../options/error.ts'

/** The longest delay of a timer: beyond it, Node's fire at once. Source: Node's documentation of `setTimeout`. */
const longest = 2 ** 31 - 1

/** Milliseconds of a limit; `Infinity` is none. */
export function timeoutOf (value: Duration, option: string): number {
  if (value === Infinity) return value
  const ms = parseDuration(value)
  if (ms === undefined || ms <= 0 || ms > longest) {
    throw new InvalidOptionError(option, 'a duration above 0 and below 25 days', shown(option, value))
  }
  return ms
}

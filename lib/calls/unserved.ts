import { AttemptTimeoutError, NoInstanceError } from '../errors.ts'
import type { DiscoverQuery } from '../discovery/source.ts'

/** No instance was there to be tried. */
export function noneFound (service: string, { tag, datacenter }: DiscoverQuery, known: number): Error {
  if (known > 0) return new NoInstanceError(service, 'the strategy chose none')
  const of = (tag === undefined ? '' : ` with the tag ${tag}`) +
    (datacenter === undefined ? '' : ` in the datacenter ${datacenter}`)
  return new NoInstanceError(service, `none${of} is registered and healthy`)
}

/** None of those that were tried would do; `error` is that of the last. A limit that was reached keeps its own. */
export function noneServed (service: string, tried: number, error: Error, unsent: number): Error {
  if (error instanceof AttemptTimeoutError) return error
  const why = error.message === '' && 'code' in error ? String(error.code) : error.message
  const how = unsent === tried ? 'could be connected to' : 'served the request'
  return new NoInstanceError(service, `of ${tried} tried none ${how}, ${why}`, { cause: error })
}

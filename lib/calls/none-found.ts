import { NoInstanceError } from '../errors.ts'
import type { DiscoverQuery } from '../discovery/source.ts'

/** No instance was there to be tried. */
export function noneFound (service: string, { tag, datacenter }: DiscoverQuery, known: number): Error {
  if (known > 0) return new NoInstanceError(service, 'the strategy chose none')
  const of = (tag === undefined ? '' : ` with the tag ${tag}`) +
    (datacenter === undefined ? '' : ` in the datacenter ${datacenter}`)
  return new NoInstanceError(service, `none${of} is registered and healthy`)
}

import type { ServiceInstance } from '../consul/instance.ts'

/** What the fallback and Consul do not have in common, as origins such as `http://10.0.0.7:8002`. */
export interface Difference {
  readonly onlyInFallback: readonly string[]
  readonly onlyInConsul: readonly string[]
}

/** The addresses of a host. */
export type Lookup = (host: string) => Promise<readonly string[]>

/** By these a name server says that a name has no address. Any other error is a fault of the moment. */
const nameless: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA'])

export function isNone ({ onlyInFallback, onlyInConsul }: Difference): boolean {
  return onlyInFallback.length + onlyInConsul.length === 0
}

/**
 * A name that stands for several addresses is in Consul if one of them is, and one that has none stands for itself.
 *
 * @throws what `lookup` throws where it cannot be told what a name stands for
 */
export async function differenceOf (
  fallback: readonly ServiceInstance[], listed: readonly ServiceInstance[], lookup: Lookup
): Promise<Difference> {
  const [fixed, found] = await Promise.all([placesOf(fallback, lookup), placesOf(listed, lookup)])
  return { onlyInFallback: missingIn(fixed, found), onlyInConsul: missingIn(found, fixed) }
}

interface Places {
  readonly url: string
  readonly origins: readonly string[]
}

async function placesOf (instances: readonly ServiceInstance[], lookup: Lookup): Promise<readonly Places[]> {
  return await Promise.all(instances.map(async ({ url, scheme, address, port }) => {
    const addresses = await addressesOf(address, lookup)
    return { url, origins: addresses.map(each => `${scheme}://${each}:${port}`) }
  }))
}

async function addressesOf (host: string, lookup: Lookup): Promise<readonly string[]> {
  try {
    return await lookup(host)
  } catch (error) {
    if (error instanceof Error && 'code' in error && nameless.has(error.code)) return [host]
    throw error
  }
}

function missingIn (some: readonly Places[], others: readonly Places[]): readonly string[] {
  const there = new Set(others.flatMap(({ origins }) => origins))
  return some.filter(({ origins }) => !origins.some(origin => there.has(origin))).map(({ url }) => url).sort()
}

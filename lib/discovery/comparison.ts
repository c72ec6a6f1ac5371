import { Background } from '../background.ts'
import type { Clock } from '../clock.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import type { Logger } from '../logger.ts'
import type { Catalog } from './catalog.ts'
import type { StaticSource } from './static.ts'

/** What the fallback and Consul do not have in common, as origins such as `http://10.0.0.7:8002`. */
export interface Difference {
  readonly onlyInFallback: readonly string[]
  readonly onlyInConsul: readonly string[]
}

/** How Consul's answer for a service compares with its fallback. */
export interface Compared extends Difference {
  /** How often another difference was found. */
  readonly mismatches: number
}

/** The addresses of a host. */
export type Lookup = (host: string) => Promise<readonly string[]>

interface ComparisonParts {
  readonly catalog: Pick<Catalog, 'peek' | 'discoverNow'>
  readonly fallback: StaticSource
  readonly lookup: Lookup
  readonly logger: Logger
  readonly clock: Clock
}

/** How often a list that is the same is compared again: what names stand for changes too. Milliseconds. */
const interval = 10_000

/** What Consul would have answered in place of the fallback: found out in the background, whenever a call is made. */
export class Comparison {
  readonly #parts: ComparisonParts
  readonly #services = new Map<string, ComparedService>()
  readonly #background = new Background()

  constructor (parts: ComparisonParts) {
    this.#parts = parts
  }

  /** A call uses the fallback. It costs no more than a look at what is in memory. */
  look (name: string): void {
    const { catalog, fallback, clock } = this.#parts
    if (!fallback.has(name)) return
    const service = this.#serviceOf(name)
    if (service.isDue(catalog.peek(name), clock.now())) this.#background.run(() => this.#compare(name, service))
  }

  /** `undefined`: Consul has not answered yet, or the service was not called. */
  of (name: string): Compared | undefined {
    return this.#services.get(name.toLowerCase())?.compared
  }

  /** It never rejects. */
  async #compare (name: string, service: ComparedService): Promise<void> {
    const { catalog, fallback, lookup, logger, clock } = this.#parts
    service.begin()
    try {
      const listed = await catalog.discoverNow(name)
      const difference = await differenceOf(fallback.peek(name), listed, lookup)
      if (!service.takes(difference)) return
      if (isNone(difference)) logger.info({ service: name }, 'Consul lists the instances of fallback')
      else logger.warn({ service: name, ...difference }, 'Consul lists other instances than fallback')
    } catch {
      // Consul does not answer, which is told elsewhere.
    } finally {
      service.end(catalog.peek(name), clock.now())
    }
  }

  #serviceOf (name: string): ComparedService {
    const key = name.toLowerCase()
    const known = this.#services.get(key) ?? new ComparedService()
    this.#services.set(key, known)
    return known
  }
}

class ComparedService {
  compared: Compared | undefined
  #list: readonly ServiceInstance[] | undefined
  #isRunning = false
  #nextAt = -Infinity

  isDue (list: readonly ServiceInstance[] | undefined, now: number): boolean {
    return !this.#isRunning && (list !== this.#list || now >= this.#nextAt)
  }

  begin (): void {
    this.#isRunning = true
  }

  /** Whether it is news. */
  takes (difference: Difference): boolean {
    if (this.compared !== undefined && textOf(difference) === textOf(this.compared)) return false
    const { mismatches = 0 } = this.compared ?? {}
    this.compared = Object.freeze({ ...difference, mismatches: mismatches + Number(!isNone(difference)) })
    return true
  }

  end (list: readonly ServiceInstance[] | undefined, now: number): void {
    this.#isRunning = false
    this.#list = list
    this.#nextAt = now + interval
  }
}

export function isNone ({ onlyInFallback, onlyInConsul }: Difference): boolean {
  return onlyInFallback.length + onlyInConsul.length === 0
}

/** A name that stands for several addresses is in Consul if one of them is. */
async function differenceOf (
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
    const addresses = await lookup(address).catch(() => [address])
    return { url, origins: addresses.map(each => `${scheme}://${each}:${port}`) }
  }))
}

function missingIn (some: readonly Places[], others: readonly Places[]): readonly string[] {
  const there = new Set(others.flatMap(({ origins }) => origins))
  return some.filter(({ origins }) => !origins.some(origin => there.has(origin))).map(({ url }) => url).sort()
}

function textOf ({ onlyInFallback, onlyInConsul }: Difference): string {
  return `${onlyInFallback.join()} ${onlyInConsul.join()}`
}

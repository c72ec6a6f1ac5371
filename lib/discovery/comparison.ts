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
  /** Told of what is found for the first time, and of each change. */
  readonly onNews?: ((service: string, difference: Difference) => void) | undefined
}

/** So many of each kind stand in a line of the log; `explain()` has them all. */
const mostLogged = 10

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
    const { catalog, clock } = this.#parts
    const service = this.#serviceOf(name)
    if (service === undefined) return
    if (service.isDue(catalog.peek(service.name), clock.now())) this.#background.run(() => this.#compare(service))
  }

  /** `undefined`: Consul has not answered yet, or the service was not called. */
  of (name: string): Compared | undefined {
    return this.#services.get(name.toLowerCase())?.compared
  }

  /** Whether both agree by now, by service as the option calls it. */
  agreements (): ReadonlyMap<string, boolean> {
    return new Map([...this.#services.values()].flatMap(({ name, compared }) =>
      compared === undefined ? [] : [[name, isNone(compared)]]))
  }

  /** It never rejects. */
  async #compare (service: ComparedService): Promise<void> {
    const { catalog, fallback, lookup, clock } = this.#parts
    const { name } = service
    let listed: readonly ServiceInstance[] | undefined
    service.begin()
    try {
      listed = await catalog.discoverNow(name)
      const difference = await differenceOf(fallback.peek(name), listed, lookup)
      if (service.takes(difference)) this.#tell(name, difference)
    } catch {
      // Consul does not answer, which is told elsewhere.
    } finally {
      service.end(listed, clock.now())
    }
  }

  #tell (service: string, difference: Difference): void {
    const { logger, onNews } = this.#parts
    onNews?.(service, difference)
    if (isNone(difference)) logger.info({ service }, 'Consul lists the instances of fallback')
    else logger.warn({ service, ...inShort(difference) }, 'Consul lists other instances than fallback')
  }

  /** `undefined`: it has no fallback. The catalog has a list for each case of a name; one of them is looked at. */
  #serviceOf (name: string): ComparedService | undefined {
    const key = name.toLowerCase()
    const known = this.#services.get(key)
    if (known !== undefined) return known
    const [instance] = this.#parts.fallback.peek(name)
    if (instance === undefined) return undefined
    const made = new ComparedService(instance.name)
    this.#services.set(key, made)
    return made
  }
}

class ComparedService {
  /** As the option calls it. */
  readonly name: string
  compared: Compared | undefined
  #list: readonly ServiceInstance[] | undefined
  #isRunning = false
  #nextAt = -Infinity

  constructor (name: string) {
    this.name = name
  }

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

  /** @param list what was compared */
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

function inShort ({ onlyInFallback, onlyInConsul }: Difference): Difference {
  return { onlyInFallback: firstOf(onlyInFallback), onlyInConsul: firstOf(onlyInConsul) }
}

function firstOf (urls: readonly string[]): readonly string[] {
  const left = urls.length - mostLogged
  return left > 0 ? [...urls.slice(0, mostLogged), `and ${left} more`] : urls
}

function textOf ({ onlyInFallback, onlyInConsul }: Difference): string {
  return `${onlyInFallback.join()} ${onlyInConsul.join()}`
}

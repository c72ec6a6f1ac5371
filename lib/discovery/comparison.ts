import { Background } from '../background.ts'
import type { Clock } from '../clock.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import { ClosedError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Catalog } from './catalog.ts'
import { ComparedService, type Compared, type Hindrance } from './compared-service.ts'
import { differenceOf, isNone, type Difference, type Lookup } from './difference.ts'
import type { StaticSource } from './static.ts'
import type { ServiceView } from './view.ts'

interface ComparisonParts {
  readonly catalog: Pick<Catalog, 'peek' | 'learn'> & {
    view (name: string): Pick<ServiceView, 'error' | 'lostAt'> | undefined
  }
  readonly fallback: StaticSource
  readonly lookup: Lookup
  readonly logger: Logger
  readonly clock: Clock
  /** Told of what is found for the first time, and of each change. */
  readonly onNews?: ((service: string, difference: Difference) => void) | undefined
}

/** What is known of one service. */
export interface Finding {
  /** `undefined`: it was not compared yet, or could not be for a while. */
  readonly compared: Compared | undefined
  /** Why it cannot be compared now, and for how many milliseconds it could not; `undefined` if it can. */
  readonly notCompared: { readonly error: string, readonly staleFor: number } | undefined
}

/** So many of each kind stand in a line of the log; `explain()` has them all. */
const mostLogged = 10

/** For how long what was found counts while Consul cannot be asked. Milliseconds. */
const countsFor = 60_000

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

  /** What was found of a service, and why no more. */
  of (name: string): Finding {
    const service = this.#services.get(name.toLowerCase())
    return service === undefined ? { compared: undefined, notCompared: undefined } : this.#findingOf(service)
  }

  /** Whether both agree by now, by service as the option calls it. */
  agreements (): ReadonlyMap<string, boolean> {
    return new Map([...this.#services.values()].flatMap(service => {
      const { compared } = this.#findingOf(service)
      return compared === undefined ? [] : [[service.name, isNone(compared)]]
    }))
  }

  #findingOf (service: ComparedService): Finding {
    const hindrance = this.#hindranceOf(service)
    if (hindrance === undefined) return { compared: service.compared, notCompared: undefined }
    const staleFor = Math.round(this.#parts.clock.now() - hindrance.since)
    return {
      compared: staleFor > countsFor ? undefined : service.compared,
      notCompared: { error: messageOf(hindrance.error), staleFor }
    }
  }

  /** What is in memory is given out while Consul cannot be asked; there is nothing to learn from it. */
  #hindranceOf ({ name, hindrance }: ComparedService): Hindrance | undefined {
    const { error, lostAt } = this.#parts.catalog.view(name) ?? {}
    if (hindrance !== undefined || error === undefined) return hindrance
    return { error, since: lostAt ?? this.#parts.clock.now() }
  }

  /** It never rejects. */
  async #compare (service: ComparedService): Promise<void> {
    const { catalog, fallback, lookup, clock } = this.#parts
    const { name } = service
    let listed: readonly ServiceInstance[] | undefined
    service.begin()
    try {
      listed = await catalog.learn(name)
      if (catalog.view(name)?.error !== undefined) return
      const difference = await differenceOf(fallback.peek(name), listed, lookup)
      if (service.recovers()) this.#parts.logger.info({ service: name }, 'Consul is compared with fallback again')
      if (service.takes(difference)) this.#tell(name, difference)
    } catch (err) {
      this.#fail(service, err)
    } finally {
      service.end(listed, clock.now())
    }
  }

  #fail (service: ComparedService, err: unknown): void {
    const { logger, clock } = this.#parts
    if (err instanceof ClosedError || !service.fails(err, clock.now())) return
    logger.warn({ service: service.name, err }, 'Consul cannot be compared with fallback')
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

function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function inShort ({ onlyInFallback, onlyInConsul }: Difference): Difference {
  return { onlyInFallback: firstOf(onlyInFallback), onlyInConsul: firstOf(onlyInConsul) }
}

function firstOf (urls: readonly string[]): readonly string[] {
  const left = urls.length - mostLogged
  return left > 0 ? [...urls.slice(0, mostLogged), `and ${left} more`] : urls
}

import type { Balancer } from '../balancing/balancer.ts'
import { BoundedMap } from '../bounded-map.ts'
import { Route } from './route.ts'
import { targetOf } from './target.ts'

/** URLs may come from users. Origins that were not among so many called last are looked at again. */
const remembered = 1000

/** Which origins are services. */
export class Routes {
  readonly #balancer: Balancer
  readonly #allow: ReadonlySet<string> | undefined
  /** `null`: an ordinary host. */
  readonly #routes = new BoundedMap<string, Route | null>(remembered)

  /** `allow`: the only services that may be called; `undefined`: any. */
  constructor (balancer: Balancer, allow: readonly string[] | undefined) {
    this.#balancer = balancer
    // Hosts in URLs are in lower case always; Consul finds services in any.
    this.#allow = allow && new Set(allow.map(name => name.toLowerCase()))
  }

  /**
   * The service behind an origin; `undefined` for an ordinary host.
   *
   * @throws TypeError if it is no URL
   */
  find (origin: string): Route | undefined {
    const known = this.#routes.get(origin)
    if (known !== undefined) return known ?? undefined
    const url = new URL(origin)
    const target = targetOf(url)
    const route = target && new Route(target, url, this.#isAllowed(target.service), this.#balancer)
    // What was read off a URL is a part of it for the engine, and would keep all of it: secrets in its query too.
    this.#routes.set(url.origin === origin ? url.origin : origin, route ?? null)
    return route
  }

  /** The same for a whole URL. Those without an origin, such as `data:`, are nobody's. */
  findFor ({ origin }: URL): Route | undefined {
    return origin === 'null' ? undefined : this.find(origin)
  }

  #isAllowed (service: string): boolean {
    return this.#allow === undefined || this.#allow.has(service.toLowerCase())
  }
}

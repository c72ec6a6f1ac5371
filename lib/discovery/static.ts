import { ServiceInstance } from '../consul/instance.ts'
import { encodeName } from '../consul/service-name.ts'
import type { InstanceSource } from './source.ts'

const none: readonly ServiceInstance[] = Object.freeze([])

/** The addresses of the `fallback` option as instances: always there, never changing, without tags. */
export class StaticSource implements InstanceSource {
  readonly #names: readonly string[]
  /** By name in lower case: hosts in URLs come so, and Consul finds its services in any case. */
  readonly #services: ReadonlyMap<string, readonly ServiceInstance[]>

  constructor (fallback: Readonly<Record<string, readonly string[]>>) {
    this.#names = Object.keys(fallback)
    this.#services = new Map(Object.entries(fallback).map(([name, urls]) =>
      [name.toLowerCase(), Object.freeze(urls.map(url => instanceAt(name, new URL(url))))]))
  }

  has (name: string): boolean {
    return this.#services.has(name.toLowerCase())
  }

  get size (): number {
    return this.#services.size
  }

  /** As Consul lists its services: by name, with all tags. */
  list (): Record<string, string[]> {
    return Object.assign(Object.create(null), Object.fromEntries(this.#names.map(name => [name, []])))
  }

  peek (name: string): readonly ServiceInstance[] {
    return this.#services.get(name.toLowerCase()) ?? none
  }

  async discover (name: string): Promise<readonly ServiceInstance[]> {
    encodeName(name)
    return this.peek(name)
  }

  onLeave (): () => void {
    return () => {}
  }
}

function instanceAt (name: string, { origin, protocol, hostname, port }: URL): ServiceInstance {
  const scheme = protocol === 'https:' ? 'https' : 'http'
  return new ServiceInstance({
    id: origin,
    name,
    address: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? { http: 80, https: 443 }[scheme] : Number(port),
    tags: Object.freeze([]),
    meta: Object.freeze(Object.create(null)),
    status: 'passing',
    weights: Object.freeze({ passing: 1, warning: 1 }),
    scheme,
    node: '',
    datacenter: ''
  })
}

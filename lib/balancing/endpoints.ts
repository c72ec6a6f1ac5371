import type { ServiceInstance } from '../consul/instance.ts'
import { instanceKey } from '../discovery/source.ts'
import { Endpoint } from './endpoint.ts'

/** One endpoint for every instance, whichever lists it stands in, for as long as it is there. */
export class Endpoints {
  readonly #warningShare: number
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #onGone: (endpoint: Endpoint) => void
  #changes = 0

  /** `onGone` is told of every endpoint that will not be picked again. */
  constructor (warningShare: number, onGone: (endpoint: Endpoint) => void) {
    this.#warningShare = warningShare
    this.#onGone = onGone
  }

  get size (): number { return this.#endpoints.size }

  /** How many are gone: whoever keeps endpoints must ask again for them once this has grown. */
  get changes (): number { return this.#changes }

  /** The endpoint of an instance as it is now. With another address it is another endpoint. */
  of (instance: ServiceInstance): Endpoint {
    const key = keyOf(instance)
    const known = this.#endpoints.get(key)
    if (known !== undefined && isSamePlace(known.instance, instance)) {
      if (known.instance !== instance) known.refresh(instance, this.#warningShare)
      return known
    }
    const endpoint = new Endpoint(instance, this.#warningShare)
    this.#endpoints.set(key, endpoint)
    if (known !== undefined) this.#forget(known)
    return endpoint
  }

  /** The instance may not be called any longer. */
  remove (instance: ServiceInstance): void {
    const key = keyOf(instance)
    const endpoint = this.#endpoints.get(key)
    if (endpoint === undefined || !isSamePlace(endpoint.instance, instance)) return
    this.#endpoints.delete(key)
    this.#forget(endpoint)
  }

  #forget (endpoint: Endpoint): void {
    this.#changes++
    this.#onGone(endpoint)
  }
}

/** With the service: the fixed addresses of two services may be the same. */
function keyOf (instance: ServiceInstance): string {
  return `${instance.name}/${instanceKey(instance)}`
}

function isSamePlace (one: ServiceInstance, other: ServiceInstance): boolean {
  return one.address === other.address && one.port === other.port && one.scheme === other.scheme
}

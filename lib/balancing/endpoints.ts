import type { ServiceInstance } from '../consul/instance.ts'
import { instanceKey } from '../discovery/source.ts'
import { Endpoint } from './endpoint.ts'

/** One endpoint for every instance, whichever lists it stands in, for as long as it is there. */
export class Endpoints {
  readonly #warningShare: number
  readonly #endpoints = new Map<string, Endpoint>()
  /** The same by the instance as it was last seen: most are asked for again unchanged, and there may be thousands. */
  readonly #byInstance = new Map<ServiceInstance, Endpoint>()
  readonly #onGone: (endpoint: Endpoint) => void

  /** `onGone` is told of every endpoint that will not be picked again. */
  constructor (warningShare: number, onGone: (endpoint: Endpoint) => void) {
    this.#warningShare = warningShare
    this.#onGone = onGone
  }

  get size (): number { return this.#endpoints.size }

  /** The endpoint of an instance as it is now. With another address it is another endpoint. */
  of (instance: ServiceInstance): Endpoint {
    return this.#byInstance.get(instance) ?? this.#renew(instance)
  }

  /** The instance may not be called any longer. */
  remove (instance: ServiceInstance): void {
    const key = instanceKey(instance)
    const endpoint = this.#endpoints.get(key)
    if (endpoint === undefined || !isSamePlace(endpoint.instance, instance)) return
    this.#endpoints.delete(key)
    this.#forget(endpoint)
  }

  #renew (instance: ServiceInstance): Endpoint {
    const key = instanceKey(instance)
    const known = this.#endpoints.get(key)
    if (known !== undefined && isSamePlace(known.instance, instance)) return this.#refresh(known, instance)
    const endpoint = new Endpoint(instance, this.#warningShare)
    this.#endpoints.set(key, endpoint)
    this.#byInstance.set(instance, endpoint)
    if (known !== undefined) this.#forget(known)
    return endpoint
  }

  #refresh (endpoint: Endpoint, instance: ServiceInstance): Endpoint {
    this.#byInstance.delete(endpoint.instance)
    this.#byInstance.set(instance, endpoint)
    endpoint.refresh(instance, this.#warningShare)
    return endpoint
  }

  #forget (endpoint: Endpoint): void {
    this.#byInstance.delete(endpoint.instance)
    endpoint.leave()
    this.#onGone(endpoint)
  }
}

function isSamePlace (one: ServiceInstance, other: ServiceInstance): boolean {
  return one.address === other.address && one.port === other.port && one.scheme === other.scheme
}

import type { Random } from '../clock.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import { instanceKey } from '../discovery/source.ts'
import { Endpoint } from './endpoint.ts'
import { Outlier, type OutlierOptions, type Turn } from './outlier.ts'
import { Pace } from './pace.ts'
import { Peers } from './peers.ts'

export interface EndpointsParts {
  /** 0 to 1: the share of an instance in `warning` whose two weights are equal. */
  readonly warningShare: number
  /** When instances that fail are left out; `false`, the default: never. */
  readonly outlier?: OutlierOptions | false
  readonly random: Random
  /** Told of every endpoint that will not be picked again; `mayReturn`: its instance may soon be there again. */
  readonly onGone: (endpoint: Endpoint, mayReturn: boolean) => void
  /** Told of every endpoint that is ejected, and is back or leaves. */
  readonly onTurn?: ((endpoint: Endpoint, turn: Turn) => void) | undefined
}

/** What the instances of a service in one datacenter have in common, as long as there is any. */
interface Service {
  readonly pace: Pace
  readonly peers: Peers<Outlier>
  endpoints: number
}

/** One endpoint for every instance, whichever lists it stands in, for as long as it is there. */
export class Endpoints {
  readonly #parts: EndpointsParts
  readonly #endpoints = new Map<string, Endpoint>()
  /** The same by the instance as it was last seen: most are asked for again unchanged, and there may be thousands. */
  readonly #byInstance = new Map<ServiceInstance, Endpoint>()
  /** By service and datacenter. */
  readonly #services = new Map<string, Service>()
  #turns = 0

  constructor (parts: EndpointsParts) {
    this.#parts = parts
  }

  get size (): number { return this.#endpoints.size }

  /** How often one was ejected or came back. */
  get turns (): number { return this.#turns }

  /** The endpoint of an instance as it is now. With another address it is another endpoint. */
  of (instance: ServiceInstance, now: number): Endpoint {
    return this.#byInstance.get(instance) ?? this.#renew(instance, now)
  }

  /** The endpoint of an instance, if it was ever called. */
  find (instance: ServiceInstance): Endpoint | undefined {
    return this.#endpoints.get(instanceKey(instance))
  }

  /** How many are ejected, of every service that has any instances. */
  ejected (): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { instance: { name }, ejection } of this.#endpoints.values()) {
      counts.set(name, (counts.get(name) ?? 0) + (ejection === undefined ? 0 : 1))
    }
    return counts
  }

  /** The instance may not be called any longer. */
  remove (instance: ServiceInstance, mayReturn: boolean): void {
    const key = instanceKey(instance)
    const endpoint = this.#endpoints.get(key)
    if (endpoint === undefined || !isSamePlace(endpoint.instance, instance)) return
    this.#endpoints.delete(key)
    this.#forget(endpoint, mayReturn)
  }

  #renew (instance: ServiceInstance, now: number): Endpoint {
    const key = instanceKey(instance)
    const known = this.#endpoints.get(key)
    if (known !== undefined && isSamePlace(known.instance, instance)) return this.#refresh(known, instance, now)
    const endpoint = this.#create(instance)
    this.#endpoints.set(key, endpoint)
    this.#byInstance.set(instance, endpoint)
    if (known !== undefined) this.#forget(known, false)
    return endpoint
  }

  #refresh (endpoint: Endpoint, instance: ServiceInstance, now: number): Endpoint {
    this.#byInstance.delete(endpoint.instance)
    this.#byInstance.set(instance, endpoint)
    endpoint.refresh(instance, now)
    return endpoint
  }

  #create (instance: ServiceInstance): Endpoint {
    const { warningShare, outlier = false, random, onTurn } = this.#parts
    const { pace, peers } = this.#joinService(instance, outlier === false ? 0 : outlier.maxEjected)
    return new Endpoint(instance, {
      warningShare,
      pace,
      outlier: outlier === false ? undefined : new Outlier(outlier, peers, random),
      onTurn: (endpoint, turn) => {
        // Who has left is in no list that is picked from.
        if (turn !== 'left') this.#turns++
        onTurn?.(endpoint, turn)
      }
    })
  }

  #joinService (instance: ServiceInstance, maxEjected: number): Service {
    const key = serviceKey(instance)
    const service = this.#services.get(key) ?? { pace: new Pace(), peers: new Peers(maxEjected), endpoints: 0 }
    this.#services.set(key, service)
    service.endpoints++
    return service
  }

  #leaveService (instance: ServiceInstance): void {
    const key = serviceKey(instance)
    const service = this.#services.get(key)
    if (service !== undefined && --service.endpoints === 0) this.#services.delete(key)
  }

  #forget (endpoint: Endpoint, mayReturn: boolean): void {
    this.#byInstance.delete(endpoint.instance)
    endpoint.leave()
    this.#leaveService(endpoint.instance)
    this.#parts.onGone(endpoint, mayReturn)
  }
}

function serviceKey ({ name, datacenter }: ServiceInstance): string {
  return `${name}\n${datacenter}`
}

function isSamePlace (one: ServiceInstance, other: ServiceInstance): boolean {
  return one.address === other.address && one.port === other.port && one.scheme === other.scheme
}

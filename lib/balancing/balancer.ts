import { BoundedMap } from '../bounded-map.ts'
import type { Random } from '../clock.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import { Endpoints, type EndpointsParts } from './endpoints.ts'
import { Group } from './group.ts'
import type { Ejection } from './outlier.ts'

export type BalancerParts = EndpointsParts

/** Tags and datacenters may come from users. Groups that were not among so many called last may start anew. */
const remembered = 1000

/** Every group of instances that is called, over endpoints that they share. */
export class Balancer {
  readonly #endpoints: Endpoints
  readonly #maxEjected: number
  readonly #random: Random
  readonly #groups = new BoundedMap<string, Group>(remembered)

  constructor (parts: BalancerParts) {
    const { outlier = false, random } = parts
    this.#endpoints = new Endpoints(parts)
    this.#maxEjected = outlier === false ? 0 : outlier.maxEjected
    this.#random = random
  }

  /** How many instances are known. */
  get size (): number { return this.#endpoints.size }

  /** Whoever keeps a group must ask for it again when this is another number, or others may get another group. */
  get generation (): number { return this.#groups.generation }

  /** The instances of a service that have the tag and are in the datacenter. */
  group (service: string, tag = '', datacenter = ''): Group {
    const key = `${service}\n${tag}\n${datacenter}`
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    const group = new Group(this.#endpoints, this.#maxEjected, this.#random)
    this.#groups.set(key, group)
    return group
  }

  /** Instances that may not be called any longer. */
  remove (instances: readonly ServiceInstance[], mayReturn = false): void {
    for (const instance of instances) this.#endpoints.remove(instance, mayReturn)
  }

  /** Why an instance is left out; `undefined`: it is not. */
  ejectionOf (instance: ServiceInstance): Ejection | undefined {
    return this.#endpoints.find(instance)?.ejection
  }

  /** How many instances are left out, of every service that is called. */
  ejected (): ReadonlyMap<string, number> {
    return this.#endpoints.ejected()
  }
}

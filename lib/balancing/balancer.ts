import { BoundedMap } from '../bounded-map.ts'
import type { Random } from '../clock.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import { Endpoint } from './endpoint.ts'
import { Endpoints, type EndpointsParts } from './endpoints.ts'
import { Group } from './group.ts'
import type { Ejection } from './outlier.ts'
import { Roster } from './roster.ts'

export type BalancerParts = EndpointsParts

/** Tags and datacenters may come from users. Groups that were not among so many called last may start anew. */
const remembered = 1000

/** Every group of instances that is called, over endpoints that they share. */
export class Balancer {
  readonly #endpoints: Endpoints
  readonly #maxEjected: number
  readonly #warningShare: number
  readonly #random: Random
  readonly #groups = new BoundedMap<string, Group>(remembered)

  constructor (parts: BalancerParts) {
    const { outlier = false, random, warningShare } = parts
    this.#warningShare = warningShare
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

  /** Those of a list that calls leave out while others can serve them: ejected ones beyond a share are called. */
  leftOutOf (instances: readonly ServiceInstance[]): ReadonlySet<ServiceInstance> {
    const byEndpoint = new Map(instances.map(instance =>
      [this.#endpoints.find(instance) ?? new Endpoint(instance, { warningShare: this.#warningShare }), instance]))
    const { ejected } = new Roster([...byEndpoint.keys()], this.#maxEjected)
    return new Set(ejected.flatMap(endpoint => byEndpoint.get(endpoint) ?? []))
  }

  /** Why an instance is ejected; `undefined`: it is not. */
  ejectionOf (instance: ServiceInstance): Ejection | undefined {
    return this.#endpoints.find(instance)?.ejection
  }

  /** How many instances are left out, of every service that is called. */
  ejected (): ReadonlyMap<string, number> {
    return this.#endpoints.ejected()
  }
}

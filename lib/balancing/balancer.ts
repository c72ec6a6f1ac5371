import type { Random } from '../clock.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import type { Endpoint } from './endpoint.ts'
import { Endpoints } from './endpoints.ts'
import { Group } from './group.ts'

export interface BalancerParts {
  readonly warningShare: number
  readonly random: Random
  /** Told of every endpoint that will not be picked again. */
  readonly onGone: (endpoint: Endpoint) => void
}

/** Tags and datacenters may come from users: the groups beyond this many start anew when they are called again. */
const maxGroups = 1000

/** Every group of instances that is called, over endpoints that they share. */
export class Balancer {
  readonly #endpoints: Endpoints
  readonly #random: Random
  readonly #groups = new Map<string, Group>()

  constructor ({ warningShare, random, onGone }: BalancerParts) {
    this.#endpoints = new Endpoints(warningShare, onGone)
    this.#random = random
  }

  /** How many instances are known. */
  get size (): number { return this.#endpoints.size }

  /** The instances of a service that have the tag and are in the datacenter. */
  group (service: string, tag = '', datacenter = ''): Group {
    const key = `${service}\n${tag}\n${datacenter}`
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    const group = new Group(this.#endpoints, this.#random)
    this.#groups.set(key, group)
    if (this.#groups.size > maxGroups) this.#groups.delete(this.#groups.keys().next().value as string)
    return group
  }

  /** Instances that may not be called any longer. */
  remove (instances: readonly ServiceInstance[]): void {
    for (const instance of instances) this.#endpoints.remove(instance)
  }
}

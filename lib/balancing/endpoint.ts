import type { ServiceInstance } from '../consul/instance.ts'
import { effectiveWeight } from './weights.ts'

/** An instance together with what the balancer knows of it. The same object as long as the instance is there. */
export class Endpoint {
  #instance: ServiceInstance
  #weight: number
  #outstanding = 0
  #gone = false

  constructor (instance: ServiceInstance, warningShare: number) {
    this.#instance = instance
    this.#weight = effectiveWeight(instance, warningShare)
  }

  /** The instance as it was last seen. */
  get instance (): ServiceInstance { return this.#instance }

  /** Its share of the calls, beside the weights of the others. From 0. */
  get weight (): number { return this.#weight }

  /** Attempts that were begun and have not ended. */
  get outstanding (): number { return this.#outstanding }

  /** Whether its instance has left: whoever keeps it must ask again, as there may be another one in its place. */
  get gone (): boolean { return this.#gone }

  /** The same instance with another status, weight or description. */
  refresh (instance: ServiceInstance, warningShare: number): void {
    this.#instance = instance
    this.#weight = effectiveWeight(instance, warningShare)
  }

  /** An attempt starts. */
  begin (): void {
    this.#outstanding++
  }

  /** The attempt is over, however it went. Once for every `begin()`. */
  end (): void {
    this.#outstanding--
  }

  /** Its instance has left. */
  leave (): void {
    this.#gone = true
  }
}

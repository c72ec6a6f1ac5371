import { Checks, type ChecksParts } from './checks.ts'
import { Indexes, keyOf } from './indexes.ts'
import type { CheckDefinition, Service } from './records.ts'

/** What is registered: at the agent, and as it is the only one in the catalog too. */
export class Services {
  readonly indexes = new Indexes()
  readonly checks: Checks
  readonly #services = new Map<string, Service>()
  readonly #waiting = new Set<() => void>()

  constructor (parts: Omit<ChecksParts, 'onListed'>) {
    this.checks = new Checks({ ...parts, onListed: ({ serviceId }) => this.#changed(serviceId) })
  }

  get (id: string): Service | undefined {
    return this.#services.get(id)
  }

  all (): Service[] {
    const sorted = [...this.#services].sort(([a], [b]) => a < b ? -1 : 1)
    return sorted.map(([, service]) => service)
  }

  /** With this name in any case. */
  named (name: string): Service[] {
    return this.all().filter(service => keyOf(service.name) === keyOf(name))
  }

  /** Calls back after each change until the returned function is called. */
  onChange (callback: () => void): () => void {
    this.#waiting.add(callback)
    return () => { this.#waiting.delete(callback) }
  }

  /** @param replace whether checks of the service that are not among `definitions` go */
  register (service: Service, definitions: readonly CheckDefinition[], replace: boolean): void {
    const before = this.#services.get(service.id)
    this.#services.set(service.id, service)
    const changes = definitions.map(definition => this.checks.add(definition, service.id))
    const ids = new Set(definitions.map(({ id }) => id))
    const others = this.checks.of(service.id).filter(({ definition: { id } }) => !ids.has(id))
    if (replace) for (const { definition: { id } } of others) this.checks.remove(id)
    if (before !== undefined && keyOf(before.name) !== keyOf(service.name)) this.#left(before.name)
    if (JSON.stringify(before) !== JSON.stringify(service)) this.indexes.define(service.name)
    else if (changes.includes(true) || (replace && others.length > 0)) this.indexes.touch(service.name)
    this.#tell()
  }

  /** Whether there was such a service. */
  deregister (id: string): boolean {
    const service = this.#services.get(id)
    if (service === undefined) return false
    for (const { definition } of this.checks.of(id)) this.checks.remove(definition.id)
    this.#services.delete(id)
    this.#left(service.name)
    this.#tell()
    return true
  }

  /** Adds a check to a service as it is; one that there is already stays as it is. */
  addCheck (definition: CheckDefinition, serviceId: string): void {
    if (this.checks.get(definition.id) !== undefined) return
    this.checks.add(definition, serviceId)
    this.#changed(serviceId)
  }

  /** Whether there was such a check. */
  deregisterCheck (id: string): boolean {
    const check = this.checks.get(id)
    if (check === undefined) return false
    this.checks.remove(id)
    this.#changed(check.serviceId)
    return true
  }

  #changed (serviceId: string): void {
    const service = this.#services.get(serviceId)
    if (service !== undefined) this.indexes.touch(service.name)
    this.#tell()
  }

  #left (name: string): void {
    if (this.named(name).length > 0) this.indexes.define(name)
    else this.indexes.forget(name)
  }

  #tell (): void {
    for (const callback of [...this.#waiting]) callback()
  }
}
